import type { Kysely } from 'kysely'
import { up as first } from './0001-first.ts'

export interface Migration {
  readonly name: string
  readonly up: (db: Kysely<unknown>) => Promise<void>
}

/** In the order in which they are applied. A migration that was released is never changed. */
export const MIGRATIONS: readonly Migration[] = [{ name: '0001-first', up: first }]
