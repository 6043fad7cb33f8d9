import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'
import type { Deployment } from './deployment.ts'

/**
 * Before an app goes that files wanted no more: a tip that came while it was being removed was read by nobody, and may
 * describe new apps. It is news to the next look.
 */
export async function lookAgainAfter(
  db: Kysely<Tables>,
  { appId, trigger }: Pick<Deployment, 'appId' | 'trigger'>,
): Promise<void> {
  if (trigger.kind !== 'files') {
    return
  }
  const read = await db
    .selectFrom('deployments')
    .select('commit')
    .where('app_id', '=', appId)
    .where('outcome', '=', 'files-gone')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  await db
    .updateTable('repositories')
    .set({ last_tip: null })
    .where('id', '=', eb => eb.selectFrom('apps').select('repository_id').where('apps.id', '=', appId))
    .where('last_tip', '!=', read?.commit ?? '')
    .execute()
}
