/** An IPv4 subnet as numbers: its first address and how many it has. */
export interface Subnet {
  readonly network: number
  readonly size: number
}

/** Reads `172.30.0.0/16`; the address need not be the first one. */
export function readSubnet(text: string): Subnet {
  const [address = '', prefix = '32'] = text.split('/')
  const size = 2 ** (32 - Number(prefix))
  return { network: Math.floor(toNumber(address) / size) * size, size }
}

/** Whether a container can have this address: not the network's own, not its gateway (the host), not everybody's. */
export function isContainerAddress(subnet: string, ip: string): boolean {
  const { network, size } = readSubnet(subnet)
  const offset = toNumber(ip) - network
  return offset > 1 && offset < size - 1
}

export function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

export function toAddress(number: number): string {
  return [24, 16, 8, 0].map(bits => Math.floor(number / 2 ** bits) % 256).join('.')
}

/** Without leading zeros, which some programs read as octal. */
export const IPV4_PATTERN =
  '^(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)(?:\\.(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)){3}$'

export function isIpv4(text: string): boolean {
  return new RegExp(IPV4_PATTERN).test(text)
}
