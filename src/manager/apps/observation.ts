import type { Kysely, Selectable } from 'kysely'
import type { AppTable, Tables } from '#manager/store/tables.ts'

/** What was seen of an app last: by looking since its last deployment, else at the end of that one. */
export async function readObservation(
  db: Kysely<Tables>,
  app: Pick<Selectable<AppTable>, 'id' | 'observed'>,
): Promise<{ observed: unknown; deployment: string | null }> {
  if (app.observed !== null) {
    return { observed: JSON.parse(app.observed), deployment: null }
  }
  const last = await db
    .selectFrom('deployments')
    .select(['id', 'evidence'])
    .where('app_id', '=', app.id)
    .where('state', '=', 'succeeded')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return { observed: last?.evidence ? JSON.parse(last.evidence) : null, deployment: last?.id ?? null }
}
