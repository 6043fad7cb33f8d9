import type { Transaction } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'

/** It was ended for another app that takes its place: nothing of it is missing unless that one has failed. */
export async function hasMadeRoom(
  db: Transaction<Tables>,
  appId: string,
  { askedAt, since = '' }: { readonly askedAt: number; readonly since: string | undefined },
): Promise<boolean> {
  const row = await db
    .selectFrom('made_room')
    .innerJoin('deployments', 'deployments.id', 'made_room.deployment_id')
    .select('deployments.id')
    .where('made_room.app_id', '=', appId)
    .where(eb =>
      eb.or([
        eb('deployments.finished_at', 'is', null),
        eb('deployments.finished_at', '>', askedAt),
        eb.and([eb('deployments.state', '=', 'succeeded'), eb('deployments.id', '>', since)]),
      ]),
    )
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
