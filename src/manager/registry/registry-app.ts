import type { Kysely, Selectable } from 'kysely'
import type { AppTable, Tables } from '#manager/store/tables.ts'
import { registry } from '#targets/registry.ts'

/** The app that is the registry of Fairlead's own; there is one at most. */
export async function registryApp(db: Kysely<Tables>): Promise<Selectable<AppTable> | undefined> {
  return await db
    .selectFrom('apps')
    .selectAll()
    .where('target', '=', registry.name)
    .where('repository_id', 'is', null)
    .where('stack', 'is', null)
    .executeTakeFirst()
}
