import { BlockList, isIP } from 'node:net'

/** A set of IP ranges. */
export type Ranges = BlockList

/** The ranges of a list of addresses and CIDRs; `wrong` is the first entry that is neither. */
export function parseRanges(entries: readonly string[]): {
  readonly ranges: Ranges
  readonly wrong?: string
} {
  const ranges = new BlockList()
  for (const entry of entries) {
    const [address = '', bits, ...more] = entry.split('/')
    const family = isIP(address)
    const most = family === 6 ? 128 : 32
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
    if (family === 0 || more.length > 0 || prefix < 0 || prefix > most) {
      return { ranges, wrong: entry }
    }
    ranges.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4')
  }
  return { ranges }
}

/**
 * Who really asks: from the socket's peer back through X-Forwarded-For, as long as the speaker is a trusted proxy.
 * The leftmost entries are the caller's own words; a malformed entry ends the walk.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, trusted: Ranges): string {
  let client = plain(peer)
  for (const hop of (forwardedFor ?? '').split(',').reverse()) {
    const address = plain(hop.trim())
    if (!isWithin(trusted, client) || isIP(address) === 0) {
      return client
    }
    client = address
  }
  return client
}

/** What shares a rate limit: one IPv4 address, or one IPv6 /64 (a host owns a whole /64). */
export function limitKey(address: string): string {
  if (isIP(address) !== 6) {
    return address
  }
  const [head = '', tail = ''] = address.split('::')
  const before = head.split(':').filter(Boolean)
  const after = tail.split(':').filter(Boolean)
  const zeros = address.includes('::') ? Array(Math.max(0, 8 - before.length - after.length)).fill('0') : []
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map(part => part.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')
}

export function isWithin(ranges: Ranges, address: string): boolean {
  const family = isIP(address)
  return family !== 0 && ranges.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** IPv4 that arrived at an IPv6 socket is IPv4. */
function plain(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
}
