import type { Kysely } from 'kysely'
import { type FairleadError, toWire } from '#lib/errors.ts'
import type { Events } from '#manager/deployments/events.ts'
import { organisationMessage, problemMessage } from '#manager/notifications/message.ts'
import { noteMessage } from '#manager/outbox/note-message.ts'
import type { PuttingContext } from '#manager/outbox/put.ts'
import type { Tables } from '#manager/store/tables.ts'
import { afterCommit, inTransaction } from '#manager/store/transaction.ts'

interface Context {
  readonly db: Kysely<Tables>
  readonly events: Events
}

interface Stoppable {
  readonly id: string
  readonly name: string
  readonly stopped: string | null
}

export interface Stop {
  readonly repository: Stoppable
  readonly why: FairleadError
}

/**
 * From now on nothing of the repository is looked at or deployed; what runs goes on. Whether that is news. Tells nobody:
 * stopAndTell does.
 */
export async function stopRepository(
  { db, events }: Context,
  { id, name, stopped }: Stoppable,
  why: FairleadError,
): Promise<boolean> {
  const text = JSON.stringify(toWire(why))
  if (stopped === text) {
    return false
  }
  await db.updateTable('repositories').set({ stopped: text }).where('id', '=', id).execute()
  afterCommit(db, () =>
    events.publish('repository', { id, repository: name, state: 'stopped', code: why.code }),
  )
  return true
}

/** Stops them and tells people, in one message however many have gone at once. */
export async function stopAndTell(
  context: Context & PuttingContext,
  organisation: string,
  stops: readonly Stop[],
): Promise<void> {
  await inTransaction(context.db, async db => {
    const news: Stop[] = []
    for (const stop of stops) {
      if (await stopRepository({ ...context, db }, stop.repository, stop.why)) {
        news.push(stop)
      }
    }
    await noteMessage({ ...context, db }, stoppedMessage(organisation, news, context.clock.now()))
  })
}

function stoppedMessage(organisation: string, stops: readonly Stop[], now: number) {
  const [first, second] = stops
  if (first && !second) {
    const { name: repository } = first.repository
    return problemMessage({ repository, what: 'it is not deployed any more', error: toWire(first.why) }, now)
  }
  return (
    first &&
    organisationMessage(
      {
        organisation,
        what: `${stops.length} of its repositories are not deployed any more`,
        detail: stops.map(({ repository }) => repository.name).join(', '),
      },
      now,
    )
  )
}
