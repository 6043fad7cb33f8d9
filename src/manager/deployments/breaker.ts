import type { Kysely } from 'kysely'
import type { Logger } from '#lib/logger.ts'
import { pausedMessage } from '#manager/notifications/message.ts'
import { noteMessage } from '#manager/outbox/note-message.ts'
import { compiledOnce } from '#manager/store/compiled-once.ts'
import type { Tables } from '#manager/store/tables.ts'
import { afterCommit, inTransaction } from '#manager/store/transaction.ts'
import { type Deployment, isByPerson, type Trigger } from './deployment.ts'
import type { DeploymentLogs } from './logs.ts'
import { LOOP_WINDOW_MS } from './loop-window.ts'
import type { Startable } from './queries.ts'
import type { DeploymentsContext } from './request.ts'
import { isWithoutEffect } from './without-effect.ts'

export interface BreakerContext extends DeploymentsContext {
  readonly logs: DeploymentLogs
  readonly logger: Logger
  /** So many deployments of an app may start within ten minutes without a person; 0: any number. */
  readonly mostUnattended: number
}

/** What is said of an app that is held, wherever it is shown. */
export const PAUSED_REASON = 'it was deployed again and again within 10 minutes, and no person asked for that'

/**
 * Whether a queued deployment has to wait until a person has looked, or starts what a person has stopped. An app that is
 * deployed again and again without anybody asking goes round in a circle with something: it is paused, and what is queued
 * stays queued.
 */
export async function holdsBack(
  context: BreakerContext,
  { id, app, appId, kind, trigger, pausedAt, resumedAt, stoppedAt }: Startable,
): Promise<boolean> {
  const { db, clock, events, logs, logger, mostUnattended } = context
  const wouldStart = kind !== 'remove' && !isByPerson(JSON.parse(trigger) as Trigger)
  if (pausedAt !== null || (stoppedAt !== null && wouldStart)) {
    return true
  }
  if (mostUnattended === 0 || !isCounted(JSON.parse(trigger) as Trigger)) {
    return false
  }
  const now = clock.now()
  const since = Math.max(now - LOOP_WINDOW_MS, resumedAt ?? 0)
  if ((await countUnattended(context, appId, since)) < mostUnattended) {
    return false
  }
  await inTransaction(db, async inside => {
    await inside.updateTable('apps').set({ paused_at: now }).where('id', '=', appId).execute()
    await noteMessage(
      { ...context, db: inside },
      pausedMessage({ app, deployment: id, reason: PAUSED_REASON }, now),
    )
  })
  const text = `${app} is paused: ${PAUSED_REASON}. This deployment waits for "fairlead apps resume ${app}".`
  await logs.append(id, [{ at: now, step: 'queue', stream: 'info', text }])
  logger.warn('app.paused', { app, deployment: id, within_ms: LOOP_WINDOW_MS, started: mostUnattended })
  events.publish('app', { id: appId, app, state: 'paused' })
  return true
}

/** Whether it waits until a person resumes its app, or starts it. */
export async function isHeld(
  db: Kysely<Tables>,
  { kind, state, appId, trigger }: Pick<Deployment, 'kind' | 'state' | 'appId' | 'trigger'>,
): Promise<boolean> {
  if (state !== 'queued') {
    return false
  }
  const app = await db
    .selectFrom('apps')
    .select(['paused_at', 'stopped_at'])
    .where('id', '=', appId)
    .executeTakeFirst()
  return (
    typeof app?.paused_at === 'number' ||
    (typeof app?.stopped_at === 'number' && kind !== 'remove' && !isByPerson(trigger))
  )
}

/** Lets go on what is held. Done again it changes nothing. Within a transaction it holds when that is committed. */
export async function resumeApp(
  { db, clock, events }: DeploymentsContext,
  { id, name }: { readonly id: string; readonly name: string },
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('apps')
    .set({ paused_at: null, resumed_at: clock.now() })
    .where('id', '=', id)
    .where('paused_at', 'is not', null)
    .executeTakeFirst()
  if (numUpdatedRows > 0n) {
    afterCommit(db, () => events.publish('app', { id, app: name, state: 'resumed' }))
  }
}

/**
 * Deployments that have started since then and touched something, since the last one that a person wanted. What goes
 * round and touches nothing harms nobody.
 */
async function countUnattended({ db }: BreakerContext, app: string, since: number): Promise<number> {
  let count = 0
  for (const row of await lastOf(db, { app })) {
    const trigger = JSON.parse(row.trigger) as Trigger
    if (row.approved_by !== null || isByPerson(trigger)) {
      break
    }
    const startedAt = row.started_at ?? 0
    if (startedAt >= since && startedAt > 0 && isCounted(trigger) && !isWithoutEffect(row.outcome)) {
      count += 1
    }
  }
  return count
}

/** Signed calls have a rate and an interval of their own, and whoever makes them waits for the answer. */
function isCounted(trigger: Trigger): boolean {
  return !isByPerson(trigger) && trigger.kind !== 'signed'
}

const lastOf = compiledOnce((db, { app }: { app: string }) =>
  db
    .selectFrom('deployments')
    .select(['trigger', 'outcome', 'approved_by', 'started_at'])
    .where('app_id', '=', app)
    .orderBy('id', 'desc')
    .limit(100),
)
