import type { Kysely } from 'kysely'
import { type FairleadError, toWire } from '#lib/errors.ts'
import type { Events } from '#manager/deployments/events.ts'
import type { Tables } from '#manager/store/tables.ts'

interface Context {
  readonly db: Kysely<Tables>
  readonly events: Events
}

interface Stoppable {
  readonly id: string
  readonly name: string
  readonly stopped: string | null
}

/** From now on nothing of the repository is looked at or deployed; what runs goes on. */
export async function stopRepository(
  { db, events }: Context,
  { id, name, stopped }: Stoppable,
  why: FairleadError,
): Promise<void> {
  const text = JSON.stringify(toWire(why))
  if (stopped !== text) {
    await db.updateTable('repositories').set({ stopped: text }).where('id', '=', id).execute()
    events.publish('repository', { id, repository: name, state: 'stopped', code: why.code })
  }
}
