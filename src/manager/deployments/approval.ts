import type { Logger } from '#lib/logger.ts'
import { noteDeployment } from '#manager/outbox/note-deployment.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import type { Deployment, Trigger } from './deployment.ts'
import { NOT_WAITING, PLAN_IS_ANOTHER } from './errors.ts'
import { forgetFacts } from './forget-facts.ts'
import type { DeploymentLogs } from './logs.ts'
import { readDeployment } from './queries.ts'
import { type DeploymentsContext, requestWhatWaits } from './request.ts'
import { givesWay } from './wish.ts'

export interface ApprovalRequest {
  readonly id: string
  /** Of the plan that was read: no other one is approved by it. */
  readonly hash: string
  /** Name of the token. */
  readonly by: string
}

interface ApprovalContext extends DeploymentsContext {
  readonly logs: DeploymentLogs
  readonly logger: Logger
}

/**
 * Takes a running deployment out of the queue's hands until a person agrees to its plan. An earlier approval is void.
 * One that was cancelled, or superseded by what is queued behind it, does not wait any more.
 */
export async function letWait(context: DeploymentsContext, deployment: Deployment): Promise<void> {
  const { clock, events } = context
  const { id, app } = deployment
  const state = await inTransaction(context.db, async db => {
    const next = await nextState(db, deployment)
    const now = clock.now()
    const end = { state: next, outcome: next, finished_at: now }
    await db
      .updateTable('deployments')
      .set({
        ...(next === 'waiting' ? { state: next, waiting_since: now } : end),
        ...{ approved_hash: null, approved_by: null, approved_at: null },
      })
      .where('id', '=', id)
      .where('state', '=', 'running')
      .execute()
    await forgetFacts(db, id)
    await noteDeployment({ ...context, db }, id)
    if (next !== 'waiting') {
      await requestWhatWaits({ ...context, db }, await readDeployment(db, id))
    }
    return next
  })
  events.publish('deployment', { id, app, state })
}

async function nextState(
  db: DeploymentsContext['db'],
  { id, appId, wantedCommit, wantedRelease, wantedArtifact }: Deployment,
): Promise<'waiting' | 'cancelled' | 'superseded'> {
  const { cancelRequested } = await readDeployment(db, id)
  if (cancelRequested) {
    return 'cancelled'
  }
  const queued = await db
    .selectFrom('deployments')
    .select(['trigger', 'wanted_release'])
    .where('app_id', '=', appId)
    .where('state', '=', 'queued')
    .executeTakeFirst()
  const trigger = queued && (JSON.parse(queued.trigger) as Trigger)
  const gives =
    trigger &&
    givesWay(
      { commit: wantedCommit, release: wantedRelease, artifact: wantedArtifact },
      {
        trigger,
        release: queued?.wanted_release ?? undefined,
      },
    )
  return gives ? 'superseded' : 'waiting'
}

/**
 * Notes that a person agrees to the plan with this hash; the queue goes on with it when there is room. Said twice it is
 * one approval. PLAN_IS_ANOTHER when it waits with another plan, NOT_WAITING when it does not wait at all.
 */
export async function approveDeployment(
  context: ApprovalContext,
  { id, hash, by }: ApprovalRequest,
): Promise<Deployment> {
  const { db, clock, events, logs, logger } = context
  const approved = await db
    .updateTable('deployments')
    .set({ approved_hash: hash, approved_by: by, approved_at: clock.now() })
    .where('id', '=', id)
    .where('state', '=', 'waiting')
    .where('plan_hash', '=', hash)
    .where('approved_hash', 'is', null)
    .executeTakeFirst()
  const now = await readDeployment(db, id)
  if (approved.numUpdatedRows > 0n) {
    const line = { at: clock.now(), step: 'plan', stream: 'info' } as const
    await logs.append(id, [{ ...line, text: `plan ${hash.slice(0, 16)} was approved by ${by}` }])
    logger.info('deployment.approved', { deployment: id, app: now.app, by, plan: hash })
    events.publish('deployment', { id, app: now.app, state: now.state, approved: true })
    return now
  }
  if (now.approved?.hash === hash) {
    return now
  }
  if (now.state === 'waiting' && now.planHash !== undefined) {
    throw PLAN_IS_ANOTHER(id, now.planHash)
  }
  throw NOT_WAITING(id, now.state)
}

/**
 * Puts an approved deployment back to work, from its first step on: what was looked at before may be out of date, so
 * the journal of it goes. The time in which it waited does not count against its deadline.
 */
export async function goOnApproved(context: DeploymentsContext, id: string): Promise<void> {
  const { db, clock } = context
  await inTransaction(db, async transaction => {
    const row = await transaction
      .selectFrom('deployments')
      .select(['waiting_since', 'waited_ms', 'deadline_at'])
      .where('id', '=', id)
      .where('state', '=', 'waiting')
      .where('approved_hash', 'is not', null)
      .executeTakeFirst()
    if (!row) {
      return
    }
    const waited = Math.max(0, clock.now() - (row.waiting_since ?? clock.now()))
    await transaction
      .updateTable('deployments')
      .set({
        state: 'running',
        waiting_since: null,
        waited_ms: row.waited_ms + waited,
        deadline_at: row.deadline_at === null ? null : row.deadline_at + waited,
      })
      .where('id', '=', id)
      .execute()
    await transaction.deleteFrom('steps').where('deployment_id', '=', id).execute()
    await transaction.deleteFrom('commands').where('deployment_id', '=', id).execute()
    await noteDeployment({ ...context, db: transaction }, id)
  })
}
