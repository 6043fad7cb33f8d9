import type { ManagerParts } from '#manager/parts.ts'
import type { Streams } from './streams.ts'

/** What the routes work with. */
export interface ApiParts extends ManagerParts {
  readonly streams: Streams
}
