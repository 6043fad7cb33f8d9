import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isPrivateAddress } from '#lib/private-address.ts'
import { HTTP_ADDRESS_PRIVATE, HTTP_UNREACHABLE } from './errors.ts'

export interface AddressRules {
  /** Private ranges (CIDR) that may be connected to all the same. */
  readonly allowPrivate: readonly string[]
  /** Gives all addresses of a name; default: the system's resolver. */
  readonly resolve?: ((host: string) => Promise<readonly LookupAddress[]>) | undefined
}

/**
 * The addresses of a server that people named; HTTP_ADDRESS_PRIVATE when one of them may not be connected to. Only
 * these are to be used: asked again, the name could have others.
 */
export async function checkedAddresses(
  host: string,
  { allowPrivate, resolve = allAddresses }: AddressRules,
): Promise<readonly LookupAddress[]> {
  const family = isIP(host)
  const addresses = family === 0 ? await resolve(host) : [{ address: host, family }]
  if (addresses.length === 0) {
    throw HTTP_UNREACHABLE(host, 'its name has no address')
  }
  const refused = addresses.find(({ address }) => isPrivateAddress(address, allowPrivate))
  if (refused) {
    throw HTTP_ADDRESS_PRIVATE(host, refused.address)
  }
  return addresses
}

async function allAddresses(host: string): Promise<readonly LookupAddress[]> {
  return await lookup(host, { all: true })
}
