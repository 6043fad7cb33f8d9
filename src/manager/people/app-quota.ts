import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'
import { APPS_OVER_QUOTA } from './errors.ts'
import type { Speaker } from './tokens.ts'

/** Refuses one more app of a person who has as many as they may. Inside of the transaction that makes it. */
export async function refuseOverQuota(db: Kysely<Tables>, { person }: Speaker): Promise<void> {
  const most = person?.most_apps ?? null
  if (!person || most === null) {
    return
  }
  const { count } = await db
    .selectFrom('project_items')
    .innerJoin('apps', 'apps.id', 'project_items.item')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('project_items.kind', '=', 'app')
    .where('project_items.owner_id', '=', person.id)
    .executeTakeFirstOrThrow()
  if (count >= most) {
    throw APPS_OVER_QUOTA(most)
  }
}
