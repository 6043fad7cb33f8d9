import type { EndedPipeline } from '#manager/pipeline/step.ts'
import { afterCommit } from '#manager/store/transaction.ts'
import type { Deployment } from './deployment.ts'
import type { DeploymentsContext } from './request.ts'
import { isWithoutEffect } from './without-effect.ts'

/**
 * Whether the app is stopped after this deployment, as part of the transaction that ends it. One that failed and was taken
 * back has changed nothing about that; of one that could not be taken back nobody knows.
 */
export async function noteStop(
  { db, clock, events }: DeploymentsContext,
  { appId, app, kind, trigger }: Deployment,
  { state, outcome }: EndedPipeline,
): Promise<void> {
  const isEffective = state === 'succeeded' && !isWithoutEffect(outcome)
  if (kind === 'stop') {
    if (isEffective) {
      const stopped = { stopped_at: clock.now(), stopped_by: trigger.by, drift: null }
      await db.updateTable('apps').set(stopped).where('id', '=', appId).execute()
      afterCommit(db, () => events.publish('app', { id: appId, app, state: 'stopped' }))
    }
    return
  }
  if (isEffective || outcome === 'return-incomplete') {
    const { numUpdatedRows } = await db
      .updateTable('apps')
      .set({ stopped_at: null, stopped_by: null })
      .where('id', '=', appId)
      .where('stopped_at', 'is not', null)
      .executeTakeFirst()
    if (numUpdatedRows > 0n) {
      afterCommit(db, () => events.publish('app', { id: appId, app, state: 'started' }))
    }
  }
}
