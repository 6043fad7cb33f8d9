import { mergedAddresses, readAddresses, writeNetworks } from './address-range.ts'
import { asOpenings, openPorts } from './open-ports.ts'
import type { Opening } from './opening.ts'
import { anyName, fromName } from './table.ts'

/** What nft said of our table. */
export interface SeenTable {
  /** What is really open. */
  readonly openings: readonly Opening[]
  /** Everything in it as sorted or ordered lines: the same table always gives the same, counters and handles aside. */
  readonly lines: readonly string[]
  /** How many sets, chains and rules of which names it has. */
  readonly outline: readonly string[]
}

type Shape = Readonly<Record<string, unknown>>

/** Reads the objects of `nft -j list table`. */
export function readTable(items: readonly unknown[]): SeenTable {
  const objects = items.filter(isShape)
  const sets = objects.flatMap(({ set }) => (isShape(set) ? [set] : []))
  const found = (['tcp', 'udp'] as const).flatMap(protocol =>
    [anyName(protocol), fromName(protocol, 4), fromName(protocol, 6)].flatMap(name =>
      sets
        .filter(each => each.name === name)
        .flatMap(each => listOf(each.elem).flatMap(elem => openingOf(protocol, insideOf(elem)))),
    ),
  )
  return {
    openings: asOpenings(openPorts(found)),
    lines: objects.flatMap(lineOf),
    outline: outlineOf(objects),
  }
}

/** The outline of a table, also as a transaction makes it. */
export function outlineOf(items: readonly unknown[]): string[] {
  const parts = items
    .filter(isShape)
    .flatMap(item => Object.entries(isShape(item.add) ? item.add : item))
    .flatMap(([kind, value]) =>
      isShape(value) && ['set', 'chain', 'rule'].includes(kind)
        ? [`${kind} ${String(kind === 'rule' ? value.chain : value.name)}`]
        : [],
    )
  return [...new Set(parts)].map(part => `${parts.filter(each => each === part).length} ${part}`).sort()
}

/** What is in one list and not in the other, for people. */
export function differences(wanted: readonly string[], seen: readonly string[]): string[] {
  const missing = wanted.filter(line => !seen.includes(line)).map(line => `missing: ${line}`)
  const extra = seen.filter(line => !wanted.includes(line)).map(line => `not ours: ${line}`)
  const moved = wanted.join('\n') === seen.join('\n') ? [] : ['the order of the rules is another']
  return missing.length + extra.length > 0 ? [...missing, ...extra] : moved
}

function openingOf(protocol: Opening['protocol'], value: unknown): Opening[] {
  const [addresses, ports] = isShape(value) && Array.isArray(value.concat) ? value.concat : [undefined, value]
  const [first, last = first] = rangeOf(ports).map(Number)
  const sources = addresses === undefined ? [] : networksOf(addresses)
  const isKnown =
    first !== undefined && last !== undefined && !(addresses !== undefined && sources.length === 0)
  return isKnown ? [{ protocol, first, last, sources }] : []
}

function networksOf(value: unknown): string[] {
  const prefix = isShape(value) && isShape(value.prefix) ? value.prefix : undefined
  if (prefix) {
    return [`${prefix.addr}/${prefix.len}`]
  }
  const [first, last = first] = rangeOf(value).map(text => readAddresses(String(text)))
  return first && last ? mergedAddresses([{ ...first, last: last.last }]).flatMap(writeNetworks) : []
}

function rangeOf(value: unknown): unknown[] {
  return isShape(value) && Array.isArray(value.range) ? value.range : [value]
}

/** A comment or counter on an element puts a shell around it. */
function insideOf(element: unknown): unknown {
  return isShape(element) && isShape(element.elem) ? element.elem.val : element
}

function lineOf(object: Shape): string[] {
  const [kind = '', value] = Object.entries(object)[0] ?? []
  if (kind === 'metainfo' || kind === 'table' || !isShape(value)) {
    return []
  }
  const { elem, ...rest } = value
  const elements = listOf(elem).map(
    each => `${kind} ${String(value.name)} has ${JSON.stringify(plain(each))}`,
  )
  return [`${kind} ${JSON.stringify(plain(rest))}`, ...elements.sort()]
}

/** Without what differs from one listing to the next; an anonymous set has no order. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(plain)
  }
  if (!isShape(value)) {
    return value
  }
  const kept = Object.entries(value)
    .filter(([key]) => key !== 'handle')
    .map(([key, inside]): [string, unknown] => {
      if (key === 'counter') {
        return [key, null]
      }
      const made = plain(inside)
      return [
        key,
        key === 'set' && Array.isArray(made) ? made.map(each => JSON.stringify(each)).sort() : made,
      ]
    })
  return Object.fromEntries(kept.sort(([one], [other]) => (one < other ? -1 : 1)))
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isShape(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
