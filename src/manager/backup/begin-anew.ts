import type { Kysely } from 'kysely'
import { toWire } from '#lib/errors.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { DEPLOYMENT_BEFORE_RESTORE } from './errors.ts'

const UNDER_WAY = ['queued', 'running', 'waiting'] as const

/**
 * What the time between backup and restore made untrue. The epoch is the second of the restore: higher than any that
 * the manager in the backup can have reached by being started, so its agents refuse that one from now on. Nothing that
 * was under way goes on, nothing is told that was not told then, and what runs now is what later looks are compared
 * with: what came after the backup is no drift.
 */
export async function beginAnew(
  db: Kysely<Tables>,
  { now, epochSeen }: { readonly now: number; readonly epochSeen: number },
): Promise<{ readonly epoch: number; readonly ended_deployments: number }> {
  return await inTransaction(db, async inside => {
    const row = await inside.selectFrom('meta').select('value').where('key', '=', 'epoch').executeTakeFirst()
    const epoch = Math.max(Number(row?.value ?? 0), epochSeen, Math.floor(now / 1000)) + 1
    await inside.deleteFrom('meta').where('key', '=', 'epoch').execute()
    await inside
      .insertInto('meta')
      .values({ key: 'epoch', value: String(epoch) })
      .execute()
    const error = JSON.stringify(toWire(DEPLOYMENT_BEFORE_RESTORE()))
    const ended = { state: 'failed', outcome: 'failed', error, finished_at: now } as const
    const { numUpdatedRows } = await inside
      .updateTable('deployments')
      .set({ ...ended, waiting_since: null })
      .where('state', 'in', UNDER_WAY)
      .executeTakeFirst()
    await inside.deleteFrom('kept_facts').execute()
    await inside
      .updateTable('steps')
      .set({ state: 'failed', finished_at: now, error })
      .where('state', '=', 'running')
      .execute()
    await inside
      .updateTable('commands')
      .set({ state: 'failed', finished_at: now })
      .where('state', '=', 'told')
      .execute()
    await inside
      .updateTable('outbox')
      .set({ ended_at: now, result: 'unwanted' })
      .where('ended_at', 'is', null)
      .execute()
    await inside.updateTable('apps').set({ baseline: null, observed: null, drift: null }).execute()
    // Of several managers on one database: the first that leads puts there what it has.
    await inside.deleteFrom('leader').execute()
    await inside.deleteFrom('shared_files').execute()
    await inside.deleteFrom('idempotency').execute()
    await inside.deleteFrom('visits').execute()
    return { epoch, ended_deployments: Number(numUpdatedRows) }
  })
}
