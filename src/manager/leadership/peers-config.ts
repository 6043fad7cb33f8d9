import { hostname } from 'node:os'
import type { EnvironmentReader } from '#manager/environment.ts'

/** Of a manager that is one of several on a database. */
export interface PeersConfig {
  /** What it is called among them. */
  readonly name: string
  readonly listen: { readonly host: string; readonly port: number }
  /** host:port where the others reach it. */
  readonly address: string
}

const NAME = /^[\w][\w.-]{0,62}$/

/** Undefined: it is the only manager of its database, and another one is refused. */
export function readPeers(reader: EnvironmentReader): PeersConfig | undefined {
  const text = reader.text('FAIRLEAD_PEER_LISTEN')
  const name = reader.matching('FAIRLEAD_PEER_NAME', NAME, 'letters, digits, dots and dashes')
  const given = reader.text('FAIRLEAD_PEER_ADDRESS')
  if (text === undefined) {
    return undefined
  }
  if (reader.text('FAIRLEAD_DATABASE_URL') === undefined) {
    const expected = 'FAIRLEAD_DATABASE_URL beside it: several managers share a PostgreSQL database'
    return reader.refuse('FAIRLEAD_PEER_LISTEN', 'is given without a database', expected)
  }
  const listen = reader.address('FAIRLEAD_PEER_LISTEN', text)
  if (given !== undefined) {
    reader.address('FAIRLEAD_PEER_ADDRESS', given)
  } else if (['0.0.0.0', '::'].includes(listen.host)) {
    const expected = 'host:port under which the other managers reach this one'
    reader.refuse('FAIRLEAD_PEER_ADDRESS', 'is missing: FAIRLEAD_PEER_LISTEN names every address', expected)
  }
  return { name: name ?? hostname().slice(0, 63), listen, address: given ?? text }
}
