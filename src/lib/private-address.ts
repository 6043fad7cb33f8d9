import { BlockList, isIP } from 'node:net'

/** Ranges that are not the public internet. An IPv4-mapped IPv6 address is matched by the IPv4 rules. */
export const PRIVATE_RANGES: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // ::1, :: and the IPv4-compatible addresses, which BlockList does not map to IPv4.
  '::/96',
  // NAT64, 6to4 and Teredo carry an IPv4 address of the sender's choice.
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2001::/32',
  '2002::/16',
  '2001:db8::/32',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]

let blocked: BlockList | undefined

/** Whether an IP address is in a private, local or reserved range and in none of the allowed ones (CIDR). What is no address is private. */
export function isPrivateAddress(address: string, allowed: readonly string[] = []): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  if (isIP(address) === 0 || address.includes('%')) {
    return true
  }
  blocked ??= listOf(PRIVATE_RANGES)
  return blocked.check(address, family) && !listOf(allowed).check(address, family)
}

/** The addresses that a name has by definition, without asking DNS; undefined for any other name. */
export function addressesOfLocalName(host: string): readonly string[] | undefined {
  const name = host.toLowerCase().replace(/\.$/, '')
  return name === 'localhost' || name.endsWith('.localhost') ? ['127.0.0.1', '::1'] : undefined
}

/** Whether a text is a CIDR range that `allowed` above understands. */
export function isRange(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/')
  const family = isIP(address)
  return (
    family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32)
  )
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges.filter(isRange)) {
    const [address = '', bits = ''] = range.split('/')
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}
