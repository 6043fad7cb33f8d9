import { isIP } from 'node:net'

/** Addresses of one family from the first to the last, as numbers. */
export interface AddressRange {
  readonly family: 4 | 6
  readonly first: bigint
  readonly last: bigint
}

/** Reads an address or a network such as 10.0.0.0/8 or fd00::/8; undefined for anything else, also for a network whose address has bits of a host. */
export function readAddresses(text: string): AddressRange | undefined {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address) as 0 | 4 | 6
  if (family === 0 || rest.length > 0 || address.includes('%')) {
    return undefined
  }
  const width = widthOf(family)
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= width)) {
    return undefined
  }
  const first = toNumber(address, family)
  const size = 1n << BigInt(width - Number(bits ?? width))
  return first % size === 0n ? { family, first, last: first + size - 1n } : undefined
}

/** The same addresses in as few ranges as possible, in order: what overlaps or touches becomes one. */
export function mergedAddresses(ranges: readonly AddressRange[]): AddressRange[] {
  const merged: AddressRange[] = []
  for (const range of ranges.toSorted(byPlace)) {
    const before = merged.at(-1)
    if (before?.family === range.family && range.first <= before.last + 1n) {
      const isLonger = range.last > before.last
      merged[merged.length - 1] = isLonger ? { ...before, last: range.last } : before
    } else {
      merged.push(range)
    }
  }
  return merged
}

/** Whether all addresses of a range are in one of the others. */
export function isWithin(range: AddressRange, others: readonly AddressRange[]): boolean {
  return mergedAddresses(others).some(
    other => other.family === range.family && other.first <= range.first && range.last <= other.last,
  )
}

export function writeAddress(number: bigint, family: 4 | 6): string {
  if (family === 4) {
    return groupsOf(number, { count: 4, bits: 8n }).join('.')
  }
  const groups = groupsOf(number, { count: 8, bits: 16n }).map(group => group.toString(16))
  const { at, length } = longestZeros(groups)
  return length < 2
    ? groups.join(':')
    : `${groups.slice(0, at).join(':')}::${groups.slice(at + length).join(':')}`
}

function longestZeros(groups: readonly string[]): { readonly at: number; readonly length: number } {
  let best = { at: 0, length: 0 }
  for (let at = 0; at < groups.length; at++) {
    const end = groups.findIndex((group, index) => index >= at && group !== '0')
    const length = (end === -1 ? groups.length : end) - at
    best = length > best.length ? { at, length } : best
  }
  return best
}

function groupsOf(number: bigint, { count, bits }: { count: number; bits: bigint }): bigint[] {
  const mask = (1n << bits) - 1n
  return Array.from({ length: count }, (_, index) => (number >> (bits * BigInt(count - 1 - index))) & mask)
}

/** As networks, which people and nft write alike: a range that is none becomes several. */
export function writeNetworks({ family, first, last }: AddressRange): string[] {
  const width = widthOf(family)
  const networks: string[] = []
  for (let at = first; at <= last; ) {
    let bits = 0
    while (
      bits < width &&
      at % (1n << BigInt(bits + 1)) === 0n &&
      at + (1n << BigInt(bits + 1)) - 1n <= last
    ) {
      bits += 1
    }
    const address = writeAddress(at, family)
    networks.push(bits === 0 ? address : `${address}/${width - bits}`)
    at += 1n << BigInt(bits)
  }
  return networks
}

function widthOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128
}

function toNumber(address: string, family: 4 | 6): bigint {
  if (family === 4) {
    return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
  }
  const [, start = address, four] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address) ?? []
  const whole = four === undefined ? address : start + hexGroups(toNumber(four, 4))
  const [head = '', tail] = whole.split('::')
  const [left, right] = [head, tail ?? ''].map(part => (part === '' ? [] : part.split(':'))) as [
    string[],
    string[],
  ]
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n)
}

function hexGroups(four: bigint): string {
  return `${(four >> 16n).toString(16)}:${(four & 0xffffn).toString(16)}`
}

function byPlace(one: AddressRange, other: AddressRange): number {
  if (one.family !== other.family) {
    return one.family - other.family
  }
  return one.first < other.first ? -1 : one.first > other.first ? 1 : 0
}
