import { type Static, Type } from 'typebox'

const strict = { additionalProperties: false } as const
const Port = Type.Integer({ minimum: 1, maximum: 65_535 })

/** Of one opening. */
export const MOST_SOURCES = 20_000

/** One or more neighbouring ports of a host that may be reached from outside. */
export const Opening = Type.Object(
  {
    protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
    first: Port,
    last: Port,
    /** Addresses and networks that may reach it; empty: everybody. */
    sources: Type.Array(Type.String({ maxLength: 64 }), { maxItems: MOST_SOURCES }),
  },
  strict,
)
export type Opening = Static<typeof Opening>

/** `tcp 8080`, `udp 5000-5010`. */
export function writePorts({ protocol, first, last }: Omit<Opening, 'sources'>): string {
  return `${protocol} ${first === last ? first : `${first}-${last}`}`
}

/** `tcp 8080 from 10.0.0.0/8`. */
export function writeOpening(opening: Opening): string {
  const { sources } = opening
  return `${writePorts(opening)} from ${sources.length === 0 ? 'everybody' : sources.join(', ')}`
}

export function overlaps(one: Omit<Opening, 'sources'>, other: Omit<Opening, 'sources'>): boolean {
  return one.protocol === other.protocol && one.first <= other.last && other.first <= one.last
}
