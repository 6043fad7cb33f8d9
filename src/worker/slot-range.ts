import { isIpv4, readSubnet } from '#commands/subnet.ts'
import { SUBNET_UNUSABLE } from './switchboard-errors.ts'

/** Addresses that stay with the engine: network, gateway, and what it gives to containers without a fixed address. */
const RESERVED = 16

/** The addresses of a subnet that may be given as slots, as numbers, both ends included. */
export interface SlotRange {
  readonly first: number
  readonly last: number
}

/** Everything in the subnet but its first 16 addresses and the broadcast address. */
export function slotRange(subnet: string): SlotRange {
  const [, address = '', prefix = '0'] = /^([0-9.]+)\/(\d{1,2})$/.exec(subnet) ?? []
  if (!isIpv4(address) || Number(prefix) < 8 || Number(prefix) > 26) {
    throw SUBNET_UNUSABLE(subnet)
  }
  const { network, size } = readSubnet(subnet)
  return { first: network + RESERVED, last: network + size - 2 }
}
