import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DeploymentLogs } from './deployments/logs.ts'
import type { ManagerParts } from './parts.ts'

/** At a time, so that a long past does not hold up the present. */
const AT_ONCE = 500

/**
 * Removes logs that no deployment has any more, as its app is gone, and those of deployments that ended before a worker was
 * asked for anything, but for the newest `kept` of an app. Starts from the logs that are there: of most deployments of a
 * long past none is.
 */
export async function forgetLogsWithoutAnswers(
  { db, logs }: Pick<ManagerParts, 'db'> & { readonly logs: DeploymentLogs },
  kept: number,
): Promise<void> {
  const oldestKept = new Map<string, string>()
  for await (const ids of inParts(logs.ids())) {
    const ended = await db
      .selectFrom('deployments')
      .select(['id', 'app_id'])
      .where('id', 'in', ids)
      .where('state', 'not in', ['queued', 'running', 'waiting'])
      .where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom('commands').select('id').whereRef('deployment_id', '=', 'deployments.id'))),
      )
      .execute()
    for (const { id, app_id: app } of ended) {
      const oldest = oldestKept.get(app) ?? (await nthNewest(db, app, kept))
      oldestKept.set(app, oldest)
      if (id < oldest) {
        await logs.remove(id)
      }
    }
    for (const id of await ownerless(db, ids)) {
      await logs.remove(id)
    }
    // SQLite answers at once: of many logs the others would get no turn.
    await nextTurn()
  }
}

async function ownerless(db: ManagerParts['db'], ids: readonly string[]): Promise<string[]> {
  const known = await Promise.all(
    (['deployments', 'past_deployments'] as const).map(table =>
      db.selectFrom(table).select('id').where('id', 'in', ids).execute(),
    ),
  )
  const owned = new Set(known.flat().map(({ id }) => id))
  return ids.filter(id => !owned.has(id))
}

/** '' where there are not as many. */
async function nthNewest(db: ManagerParts['db'], app: string, count: number): Promise<string> {
  const row = await db
    .selectFrom('deployments')
    .select('id')
    .where('app_id', '=', app)
    .orderBy('id', 'desc')
    .limit(1)
    .offset(count - 1)
    .executeTakeFirst()
  return row?.id ?? ''
}

async function* inParts(ids: AsyncIterable<string>): AsyncGenerator<string[]> {
  let part: string[] = []
  for await (const id of ids) {
    part.push(id)
    if (part.length === AT_ONCE) {
      yield part
      part = []
    }
  }
  if (part.length > 0) {
    yield part
  }
}
