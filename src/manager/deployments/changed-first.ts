import { type Kysely, sql } from 'kysely'
import type { DescribedApps } from '#manager/pipeline/described-apps.ts'
import type { Tables } from '#manager/store/tables.ts'

/** Scans that were looked at: a push asks with each of its projects, and they all have the same one. */
const looked = new WeakSet<object>()

/**
 * Of the deployments of a push those go first whose project it changed. Hundreds of others end as soon as they have
 * looked, but whoever waits for a change would wait for all of them.
 */
export async function changedFirst(
  db: Kysely<Tables>,
  repositoryId: string,
  { apps, shown }: Pick<DescribedApps, 'apps' | 'shown'>,
): Promise<void> {
  if (!shown || looked.has(shown.scan)) {
    return
  }
  looked.add(shown.scan)
  const waiting = await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select(['deployments.id', 'apps.entry'])
    .select(eb =>
      eb
        .selectFrom('releases')
        .select(sql<string | null>`json_extract(content, '$.fingerprint')`.as('fingerprint'))
        .whereRef('releases.app_id', '=', 'apps.id')
        .orderBy('releases.id', 'desc')
        .limit(1)
        .as('released'),
    )
    .where('apps.repository_id', '=', repositoryId)
    .where('deployments.state', '=', 'queued')
    .execute()
  const wanted = new Map(apps.map(({ name, files }) => [name, files?.fingerprint]))
  const changed = waiting.filter(
    ({ entry, released }) => wanted.get(entry) === undefined || wanted.get(entry) !== released,
  )
  if (changed.length > 0 && changed.length < waiting.length) {
    const ids = changed.map(({ id }) => id)
    await db.updateTable('deployments').set({ first: 1 }).where('id', 'in', ids).execute()
  }
}
