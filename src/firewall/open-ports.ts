import { type AddressRange, mergedAddresses, readAddresses, writeNetworks } from './address-range.ts'
import type { Opening } from './opening.ts'

/** Neighbouring ports that the same addresses may reach; no two of a protocol overlap. */
export interface OpenPorts extends Pick<Opening, 'protocol' | 'first' | 'last'> {
  /** In order, none overlapping; undefined: all there are. */
  readonly sources: readonly AddressRange[] | undefined
  /** Sources that are no addresses, but names of lists: who they are is not said yet. */
  readonly names: readonly string[]
}

/** What is open when all of these are: one list for the same openings, however they were put. */
export function openPorts(openings: readonly Opening[]): OpenPorts[] {
  return (['tcp', 'udp'] as const).flatMap(protocol =>
    joined(pieces(openings.filter(each => each.protocol === protocol && each.first <= each.last))),
  )
}

/** The same in the form of openings. */
export function asOpenings(ports: readonly OpenPorts[]): Opening[] {
  return ports.map(({ protocol, first, last, sources, names }) => ({
    ...{ protocol, first, last },
    sources: [...names, ...(sources ?? []).flatMap(writeNetworks)],
  }))
}

/** Cut wherever an opening begins or ends, so that every piece is wholly in an opening or outside of it. */
function pieces(openings: readonly Opening[]): OpenPorts[] {
  const cuts = [...new Set(openings.flatMap(({ first, last }) => [first, last + 1]))].sort((a, b) => a - b)
  return cuts.slice(0, -1).flatMap((first, index) => {
    const last = (cuts[index + 1] ?? first) - 1
    const over = openings.filter(each => each.first <= first && last <= each.last)
    const protocol = over[0]?.protocol
    return protocol === undefined ? [] : [{ protocol, first, last, ...sourcesOf(over) }]
  })
}

/** What cannot be read is kept: without it an opening for nobody else would become one for everybody. */
function sourcesOf(openings: readonly Opening[]): Pick<OpenPorts, 'sources' | 'names'> {
  if (openings.some(({ sources }) => sources.length === 0)) {
    return { sources: undefined, names: [] }
  }
  const texts = [...new Set(openings.flatMap(({ sources }) => sources))]
  return {
    sources: mergedAddresses(texts.flatMap(text => readAddresses(text) ?? [])),
    names: texts.filter(text => !readAddresses(text)).sort(),
  }
}

function joined(ports: readonly OpenPorts[]): OpenPorts[] {
  const done: OpenPorts[] = []
  for (const next of ports) {
    const before = done.at(-1)
    if (before && before.last + 1 === next.first && isSame(before, next)) {
      done[done.length - 1] = { ...before, last: next.last }
    } else {
      done.push(next)
    }
  }
  return done
}

function isSame(one: OpenPorts, other: OpenPorts): boolean {
  const text = ({ sources, names }: OpenPorts) =>
    sources && [...names, ...sources.flatMap(writeNetworks)].join(' ')
  return text(one) === text(other)
}
