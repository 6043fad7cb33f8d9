import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'
import { WITHOUT_EFFECT } from './without-effect.ts'

/** Whether the last deployment that touched an app for good, or should have stopped it, is a stop that came to no end. */
export async function isHalfStoppedApp(db: Kysely<Tables>, app: string): Promise<boolean> {
  const last = await db
    .selectFrom('deployments')
    .select(['kind', 'state'])
    .where('app_id', '=', app)
    .where('started_at', 'is not', null)
    .where('finished_at', 'is not', null)
    .where(({ and, eb, or }) =>
      or([
        eb('kind', '=', 'stop'),
        and([eb('state', '=', 'succeeded'), eb('outcome', 'not in', WITHOUT_EFFECT)]),
      ]),
    )
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return last?.kind === 'stop' && last.state !== 'succeeded'
}
