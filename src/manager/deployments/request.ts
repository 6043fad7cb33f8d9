import type { Kysely } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import type { Deployment, DeployRequest } from './deployment.ts'
import { APP_BEING_REMOVED, APP_NOT_FOUND, DEPLOYMENT_ENDED } from './errors.ts'
import type { Events } from './events.ts'
import { readDeployment } from './queries.ts'

export interface DeploymentsContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly events: Events
}

/**
 * Stores a request as a queued deployment. A queued one of the same app that wants the same is joined;
 * one that wants something else becomes superseded: the newest want wins, one waits at most.
 * Given a transaction as db it is part of it: the caller wakes the queue after the commit.
 */
export async function requestDeployment(
  context: DeploymentsContext,
  request: DeployRequest,
): Promise<Deployment> {
  const { db } = context
  const stored = await inTransaction(db, transaction => store({ ...context, db: transaction }, request))
  context.events.publish('deployment', { id: stored.id, app: stored.app, state: stored.state })
  return stored
}

/** Cancels: a queued or waiting one ends at once, a running one is asked to stop (the queue aborts its pipeline). */
export async function cancelDeployment(context: DeploymentsContext, id: string): Promise<Deployment> {
  const deployment = await readDeployment(context.db, id)
  const queued = await context.db
    .updateTable('deployments')
    .set({ state: 'cancelled', outcome: 'cancelled', finished_at: context.clock.now(), cancel_requested: 1 })
    .where('id', '=', id)
    .where('state', 'in', ['queued', 'waiting'])
    .executeTakeFirst()
  if (queued.numUpdatedRows === 0n) {
    const running = await context.db
      .updateTable('deployments')
      .set({ cancel_requested: 1 })
      .where('id', '=', id)
      .where('state', '=', 'running')
      .executeTakeFirst()
    if (running.numUpdatedRows === 0n) {
      throw DEPLOYMENT_ENDED(id, deployment.state)
    }
  }
  const now = await readDeployment(context.db, id)
  context.events.publish('deployment', { id, app: now.app, state: now.state })
  return now
}

async function store(context: DeploymentsContext, request: DeployRequest): Promise<Deployment> {
  const { db, clock } = context
  const app = await db
    .selectFrom('apps')
    .select(['id', 'name'])
    .where('id', '=', request.appId)
    .executeTakeFirst()
  if (!app) {
    throw APP_NOT_FOUND(request.appId)
  }
  await refuseWhileBeingRemoved(db, app)
  if (!isRepair(request)) {
    await supersedeWaiting(context, app)
  }
  const queued = await db
    .selectFrom('deployments')
    .select(['id', 'kind', 'wanted_commit', 'wanted_release'])
    .where('app_id', '=', app.id)
    .where('state', '=', 'queued')
    .executeTakeFirst()
  if (queued) {
    const wantsTheSame =
      queued.kind === request.kind &&
      queued.wanted_commit === (request.commit ?? null) &&
      queued.wanted_release === (request.release ?? null)
    if (wantsTheSame) {
      return await readDeployment(db, queued.id)
    }
    await db
      .updateTable('deployments')
      .set({ state: 'superseded', outcome: 'superseded', finished_at: clock.now() })
      .where('id', '=', queued.id)
      .execute()
  }
  const id = newId()
  await db
    .insertInto('deployments')
    .values({
      id,
      app_id: app.id,
      kind: request.kind,
      state: 'queued',
      trigger: JSON.stringify(request.trigger),
      wanted_commit: request.commit ?? null,
      wanted_release: request.release ?? null,
      cancel_requested: 0,
      created_at: clock.now(),
    })
    .execute()
  return await readDeployment(db, id)
}

/** Asked for by nobody: it restores what was approved once, and what waits for approval goes on waiting. */
function isRepair({ release, trigger }: DeployRequest): boolean {
  return release !== undefined && trigger.kind !== 'rollback' && trigger.kind !== 'api'
}

/** What waits for an approval gives way to every newer want; that waits in its turn if it has to. */
async function supersedeWaiting(
  { db, clock, events }: DeploymentsContext,
  app: { readonly id: string; readonly name: string },
): Promise<void> {
  const waiting = await db
    .selectFrom('deployments')
    .select('id')
    .where('app_id', '=', app.id)
    .where('state', '=', 'waiting')
    .executeTakeFirst()
  if (!waiting) {
    return
  }
  await db
    .updateTable('deployments')
    .set({ state: 'superseded', outcome: 'superseded', finished_at: clock.now() })
    .where('id', '=', waiting.id)
    .execute()
  events.publish('deployment', { id: waiting.id, app: app.name, state: 'superseded' })
}

async function refuseWhileBeingRemoved(db: Kysely<Tables>, app: { id: string; name: string }): Promise<void> {
  const removal = await db
    .selectFrom('deployments')
    .select('id')
    .where('app_id', '=', app.id)
    .where('kind', '=', 'remove')
    .where('state', 'in', ['queued', 'running'])
    .executeTakeFirst()
  if (removal) {
    throw APP_BEING_REMOVED(app.name)
  }
}
