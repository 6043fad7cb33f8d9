import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'
import type { Trigger } from './deployment.ts'

/**
 * Whether the tip that a poll found is the one which this app's last look at the branch, before somebody wanted
 * something by name, has found as well: another app of the repository may be the first to tell of it.
 */
export async function isOldNews(
  db: Kysely<Tables>,
  { id, appId, trigger }: { readonly id: string; readonly appId: string; readonly trigger: Trigger },
): Promise<boolean> {
  if (trigger.kind !== 'poll') {
    return false
  }
  const seen = await db
    .selectFrom('deployments')
    .select('commit')
    .where('app_id', '=', appId)
    .where('id', '<', id)
    .where('kind', '=', 'deploy')
    .where('wanted_commit', 'is', null)
    .where('wanted_release', 'is', null)
    .where('state', '!=', 'superseded')
    .orderBy('id', 'desc')
    .executeTakeFirst()
  return seen !== undefined && seen.commit === trigger.detail
}
