import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'

/** Whether a deployment of the app ever began: then something of it may be on its host. */
export async function hasStarted(db: Kysely<Tables>, appId: string): Promise<boolean> {
  const started = await db
    .selectFrom('deployments')
    .select('id')
    .where('app_id', '=', appId)
    .where('started_at', 'is not', null)
    .limit(1)
    .executeTakeFirst()
  return started !== undefined
}
