import type { Kysely } from 'kysely'
import { newestRelease } from '#manager/releases/queries.ts'
import type { Tables } from '#manager/store/tables.ts'
import { targetNamed } from '#targets/index.ts'

/**
 * What was wanted of an app once, and is over with a deployment that did not bring it about, is not wanted any more: it
 * must not come back with the next change. While another deployment of it is to come, that one has to do it.
 */
export async function withdrawWishes(db: Kysely<Tables>, appId: string): Promise<void> {
  const app = await db
    .selectFrom('apps')
    .select(['target', 'overrides'])
    .where('id', '=', appId)
    .executeTakeFirst()
  const withdraw = app && targetNamed(app.target)?.withdraw
  const release = withdraw && (await newestRelease(db, appId))
  if (!(withdraw && release) || (await isToCome(db, appId))) {
    return
  }
  const kept = withdraw(JSON.parse(app.overrides), JSON.parse(release.content))
  await db
    .updateTable('apps')
    .set({ overrides: JSON.stringify(kept) })
    .where('id', '=', appId)
    .execute()
}

async function isToCome(db: Kysely<Tables>, appId: string): Promise<boolean> {
  const open = await db
    .selectFrom('deployments')
    .select('id')
    .where('app_id', '=', appId)
    .where('state', 'in', ['queued', 'running', 'waiting'])
    .executeTakeFirst()
  return open !== undefined
}
