import { type AddressRange, mergedAddresses, readAddresses, writeNetworks } from './address-range.ts'
import type { Opening } from './opening.ts'

/** Neighbouring ports that the same addresses may reach; no two of a protocol overlap. */
export interface OpenPorts extends Pick<Opening, 'protocol' | 'first' | 'last'> {
  /** In order, none overlapping; undefined: all there are. */
  readonly sources: readonly AddressRange[] | undefined
}

/** What is open when all of these are: one list for the same openings, however they were put. */
export function openPorts(openings: readonly Opening[]): OpenPorts[] {
  return (['tcp', 'udp'] as const).flatMap(protocol =>
    joined(pieces(openings.filter(each => each.protocol === protocol && each.first <= each.last))),
  )
}

/** The same in the form of openings. */
export function asOpenings(ports: readonly OpenPorts[]): Opening[] {
  return ports.map(({ protocol, first, last, sources }) => ({
    ...{ protocol, first, last },
    sources: (sources ?? []).flatMap(writeNetworks),
  }))
}

/** Cut wherever an opening begins or ends, so that every piece is wholly in an opening or outside of it. */
function pieces(openings: readonly Opening[]): OpenPorts[] {
  const cuts = [...new Set(openings.flatMap(({ first, last }) => [first, last + 1]))].sort((a, b) => a - b)
  return cuts.slice(0, -1).flatMap((first, index) => {
    const last = (cuts[index + 1] ?? first) - 1
    const over = openings.filter(each => each.first <= first && last <= each.last)
    const protocol = over[0]?.protocol
    return protocol === undefined ? [] : [{ protocol, first, last, sources: sourcesOf(over) }]
  })
}

function sourcesOf(openings: readonly Opening[]): AddressRange[] | undefined {
  if (openings.some(({ sources }) => sources.length === 0)) {
    return undefined
  }
  return mergedAddresses(
    openings.flatMap(({ sources }) => sources.flatMap(text => readAddresses(text) ?? [])),
  )
}

function joined(ports: readonly OpenPorts[]): OpenPorts[] {
  const done: OpenPorts[] = []
  for (const next of ports) {
    const before = done.at(-1)
    if (before && before.last + 1 === next.first && isSame(before.sources, next.sources)) {
      done[done.length - 1] = { ...before, last: next.last }
    } else {
      done.push(next)
    }
  }
  return done
}

function isSame(one: OpenPorts['sources'], other: OpenPorts['sources']): boolean {
  const text = (ranges: OpenPorts['sources']) => ranges?.flatMap(writeNetworks).join(' ')
  return text(one) === text(other)
}
