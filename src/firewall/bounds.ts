import type { Problem } from '#lib/errors.ts'
import { isWithin, readAddresses } from './address-range.ts'
import { type Opening, overlaps, writePorts } from './opening.ts'

export interface PortRange {
  readonly first: number
  readonly last: number
}

/** What the owner of a host lets managers have opened, and what stays open whatever they say. */
export interface Bounds {
  /** Always open: SSH, the guardian itself, what else the owner named. */
  readonly keep: readonly Opening[]
  /** Of both protocols, that may be opened. */
  readonly ports: readonly PortRange[]
  /** Never, also inside of them. */
  readonly never: readonly PortRange[]
  /** Every opening must be for addresses within these; undefined: it may be for everybody. */
  readonly sources: readonly string[] | undefined
  /** Interfaces of the host's own containers. */
  readonly inner: readonly string[]
}

/** Where openings overlap, their ports are cut into pieces, each with the addresses of all: more of it takes minutes. */
const MOST_PAIRS = 200_000

/** What a manager may not have, one problem for each; empty when all may be opened. */
export function refusals(openings: readonly Opening[], bounds: Bounds): Problem[] {
  const pairs = pairsOf(openings)
  if (pairs > MOST_PAIRS) {
    const message = `the openings overlap so that there are ${pairs} pairs of ports and addresses, more than ${MOST_PAIRS}`
    return [{ path: 'openings', message }]
  }
  return openings.flatMap((opening, index) =>
    problemsOf(opening, bounds).map(message => ({
      path: `openings.${index}`,
      message: `${writePorts(opening)} ${message}`,
    })),
  )
}

/** Pieces of ports with an address each, as they would have to be looked at. */
function pairsOf(openings: readonly Opening[]): number {
  const cuts = [...new Set(openings.flatMap(({ first, last }) => [first, last + 1]))].sort((a, b) => a - b)
  const at = new Map(cuts.map((port, index) => [port, index]))
  return openings.reduce((sum, { first, last, sources }) => {
    const count = Math.max(0, (at.get(last + 1) ?? 0) - (at.get(first) ?? 0))
    return sum + count * (sources.length + 1)
  }, 0)
}

/** Those of them that may be opened. */
export function permitted(openings: readonly Opening[], bounds: Bounds): Opening[] {
  return openings.filter(opening => problemsOf(opening, bounds).length === 0)
}

function problemsOf(opening: Opening, bounds: Bounds): string[] {
  const { first, last, sources } = opening
  if (first > last) {
    return ['is no range: it ends before it begins']
  }
  const unreadable = sources.filter(text => !readAddresses(text))
  if (unreadable.length > 0) {
    return [
      `names ${unreadable.map(text => JSON.stringify(text)).join(', ')}, which is no address or network`,
    ]
  }
  return [...portProblems(opening, bounds), ...sourceProblems(sources, bounds)]
}

function portProblems(opening: Opening, { keep, ports, never }: Bounds): string[] {
  const { protocol } = opening
  const kept = keep.filter(each => overlaps(opening, each))
  if (kept.length > 0) {
    return [`touches ${kept.map(writePorts).join(', ')}, which only the owner of the host decides about`]
  }
  const forbidden = never.filter(range => overlaps(opening, { protocol, ...range }))
  if (forbidden.length > 0) {
    return [
      `touches ${forbidden.map(range => writePorts({ protocol, ...range })).join(', ')}, which is never opened`,
    ]
  }
  const isAllowed = ports.some(range => range.first <= opening.first && opening.last <= range.last)
  const list = ports.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ')
  return isAllowed ? [] : [`is not within the ports that may be opened (${list || 'none'})`]
}

function sourceProblems(sources: readonly string[], { sources: allowed }: Bounds): string[] {
  if (allowed === undefined) {
    return []
  }
  const ranges = allowed.flatMap(text => readAddresses(text) ?? [])
  const outside = sources.filter(text => {
    const range = readAddresses(text)
    return range === undefined || !isWithin(range, ranges)
  })
  if (sources.length === 0) {
    return [`is for everybody, and only ${allowed.join(', ')} may be let in`]
  }
  return outside.length === 0
    ? []
    : [`is for ${outside.join(', ')}, and only ${allowed.join(', ')} may be let in`]
}
