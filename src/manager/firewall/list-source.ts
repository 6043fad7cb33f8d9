import type { AddressListSource } from '#contract/rest/address-lists.ts'
import { type AddressRange, mergedAddresses, readAddresses, writeNetworks } from '#firewall/address-range.ts'
import { PRIVATE_RANGES } from '#lib/private-address.ts'
import { ADDRESS_LIST_UNUSABLE } from './errors.ts'

const MOST = 10_000
/** Half of the internet is no list of somebody's machines. */
const SHORTEST_PREFIX = { 4: 8, 6: 16 } as const

const GITHUB = 'https://api.github.com/meta'
const KINDS = {
  'github-hooks': { url: GITHUB, path: 'hooks' },
  'github-actions': { url: GITHUB, path: 'actions' },
  'github-git': { url: GITHUB, path: 'git' },
  bitbucket: { url: 'https://ip-ranges.atlassian.com/', path: 'items.*.cidr' },
} as const

/** Where it is read, and where the networks are in what is read. */
export function placeOf(source: AddressListSource): { readonly url: string; readonly path?: string } {
  return 'kind' in source ? KINDS[source.kind] : source
}

/**
 * The networks in what somebody publishes, as few as say the same. Throws ADDRESS_LIST_UNUSABLE for a whole list of
 * which one entry cannot be right: whoever changed it does not get to open a host for others.
 */
export function readNetworks(name: string, body: string, path: string | undefined): string[] {
  const texts = path === undefined ? linesOf(body) : textsAt(name, body, path)
  if (texts.length === 0 || texts.length > MOST) {
    throw ADDRESS_LIST_UNUSABLE(name, `it has ${texts.length} networks, and 1 to ${MOST} are taken`)
  }
  const ranges = texts.map(text => {
    const range = readAddresses(text)
    if (!range) {
      throw ADDRESS_LIST_UNUSABLE(name, `${JSON.stringify(text.slice(0, 64))} in it is no network`)
    }
    const why = problemOf(range)
    if (why !== undefined) {
      throw ADDRESS_LIST_UNUSABLE(name, `${text} in it ${why}`)
    }
    return range
  })
  return mergedAddresses(ranges).flatMap(writeNetworks)
}

function problemOf({ family, first, last }: AddressRange): string | undefined {
  const width = family === 4 ? 32 : 128
  if (last - first >= 1n << BigInt(width - SHORTEST_PREFIX[family] + 1)) {
    return `is larger than a /${SHORTEST_PREFIX[family]}`
  }
  const isPrivate = PRIVATE_RANGES.some(text => {
    const other = readAddresses(text)
    return other?.family === family && first <= other.last && other.first <= last
  })
  return isPrivate ? 'is private or reserved' : undefined
}

function linesOf(body: string): string[] {
  return body
    .split('\n')
    .map(line => line.replace(/#.*/, '').trim())
    .filter(line => line !== '')
}

function textsAt(name: string, body: string, path: string): string[] {
  let found: unknown[]
  try {
    found = [JSON.parse(body)]
  } catch {
    throw ADDRESS_LIST_UNUSABLE(name, 'what is published there is no JSON')
  }
  for (const key of path.split('.')) {
    found = found.flatMap(value => childrenOf(value, key))
  }
  return found.flat().map(String)
}

function childrenOf(value: unknown, key: string): unknown[] {
  if (typeof value !== 'object' || value === null) {
    return []
  }
  if (key === '*') {
    return Object.values(value)
  }
  return Object.hasOwn(value, key) ? [(value as Record<string, unknown>)[key]] : []
}
