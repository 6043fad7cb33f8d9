import { type Kysely, sql } from 'kysely'
import { startIdsAfter } from '#lib/id.ts'
import type { Tables } from './tables.ts'

/** Tables in which the greatest id is the newest row. */
const IN_ORDER = ['deployments', 'past_deployments', 'releases', 'commands', 'artifacts', 'outbox'] as const

/**
 * Lets new ids sort after every one that is stored: what was made while the clock of the machine was ahead would be
 * taken for the newest until the clock is there again.
 */
export async function continueIds(db: Kysely<Tables>): Promise<void> {
  for (const table of IN_ORDER) {
    const { rows } = await sql<{
      newest: string | null
    }>`select max(id) as newest from ${sql.table(table)}`.execute(db)
    startIdsAfter(rows[0]?.newest ?? '')
  }
}
