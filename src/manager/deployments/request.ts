import { type Kysely, type Selectable, sql } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { noteDeployment } from '#manager/outbox/note-deployment.ts'
import type { OutboxDoor } from '#manager/outbox/put.ts'
import { compiledOnce } from '#manager/store/compiled-once.ts'
import type { DeploymentState, DeploymentTable, Tables } from '#manager/store/tables.ts'
import { afterCommit, inTransaction } from '#manager/store/transaction.ts'
import { waitBehindRemoval } from './behind-removal.ts'
import { resumeApp } from './breaker.ts'
import {
  type Deployment,
  type DeployRequest,
  isByPerson,
  isByProgram,
  isHint,
  takenOver,
} from './deployment.ts'
import { APP_BEING_REMOVED, APP_NOT_FOUND, APP_STOPPED, DEPLOYMENT_ENDED } from './errors.ts'
import type { Events } from './events.ts'
import { noteAsked } from './last-asked.ts'
import { isOldNews } from './old-news.ts'
import { readDeployment } from './queries.ts'
import { isLonger, quietFor } from './quiet.ts'
import { deploymentFrom } from './rows.ts'
import { givesWay, isNamed, isSameWish, wishColumns, wishIn } from './wish.ts'
import { withdrawWishes } from './withdraw-wishes.ts'

export interface DeploymentsContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly events: Events
  readonly outbox: OutboxDoor
}

/**
 * Stores a request as a queued deployment. A queued one of the same app that wants the same is joined;
 * one that wants something else becomes superseded: the newest want wins, one waits at most. But a commit or a release
 * that was asked for by name goes first, and a hint to look at the branch waits behind it.
 * Given a transaction as db it is part of it: the caller wakes the queue after the commit.
 */
export async function requestDeployment(
  context: DeploymentsContext,
  request: DeployRequest,
): Promise<Deployment> {
  const { db, events } = context
  noteAsked(events, request.appId)
  return await inTransaction(db, async transaction => {
    const stored = await store({ ...context, db: transaction }, request)
    afterCommit(transaction, () =>
      events.publish('deployment', { id: stored.id, app: stored.app, state: stored.state }),
    )
    return stored
  })
}

/** Cancels: a queued or waiting one ends at once, a running one is asked to stop (the queue aborts its pipeline). */
export async function cancelDeployment(context: DeploymentsContext, id: string): Promise<Deployment> {
  const now = await inTransaction(context.db, async db => {
    const inside = { ...context, db }
    const deployment = await readDeployment(db, id)
    switch (deployment.state) {
      case 'queued':
      case 'waiting':
        await db
          .updateTable('deployments')
          .set({
            state: 'cancelled',
            outcome: 'cancelled',
            finished_at: context.clock.now(),
            cancel_requested: 1,
          })
          .where('id', '=', id)
          .execute()
        await noteDeployment(inside, id)
        await requestWhatWaits(inside, deployment)
        await withdrawWishes(db, deployment.appId)
        break
      case 'running':
        await db.updateTable('deployments').set({ cancel_requested: 1 }).where('id', '=', id).execute()
        break
      default:
        throw DEPLOYMENT_ENDED(id, deployment.state)
    }
    return await readDeployment(db, id)
  })
  context.events.publish('deployment', { id, app: now.app, state: now.state })
  return now
}

/** Requests the look at the branch that waits behind a deployment which ends now. */
export async function requestWhatWaits(
  context: DeploymentsContext,
  { id, appId, thenTrigger: trigger }: Deployment,
): Promise<void> {
  if (!trigger || (await isOldNews(context.db, { id, appId, trigger }))) {
    return
  }
  await requestUnlessRemoved(context, { appId, kind: 'deploy', trigger })
}

/** What follows from something else, and is nothing to do any more when a person has asked to remove the app. */
export async function requestUnlessRemoved(
  context: DeploymentsContext,
  request: DeployRequest,
): Promise<void> {
  try {
    await requestDeployment(context, request)
  } catch (error) {
    if (!APP_BEING_REMOVED.matches(error)) {
      throw error
    }
  }
}

async function store(context: DeploymentsContext, request: DeployRequest): Promise<Deployment> {
  const { db, clock } = context
  const [[app], open] = [
    await appWithId(db, { id: request.appId }),
    await openDeployments(db, { app: request.appId }),
  ]
  if (!app) {
    throw APP_NOT_FOUND(request.appId)
  }
  const removal = open.find(({ kind, state }) => kind === 'remove' && state !== 'waiting')
  if (removal) {
    return await waitBehindRemoval(db, { app: app.name, removal }, request)
  }
  const stops = open.filter(({ kind, state }) => kind === 'stop' && state !== 'waiting')
  if ((stops.length > 0 || app.stopped_at !== null) && isByProgram(request.trigger)) {
    throw APP_STOPPED(app.name)
  }
  const stop = stops.find(({ state }) => state === 'queued')
  if (stop && request.kind !== 'remove' && !isByPerson(request.trigger)) {
    return await waitBehindStop(db, stop, request)
  }
  if (app.paused_at !== null && isByPerson(request.trigger)) {
    await resumeApp(context, app)
  }
  const inState = (wanted: DeploymentState) => open.find(({ state }) => state === wanted)
  const left = await supersedeWaiting(context, { app, waiting: inState('waiting') }, request)
  const queued = inState('queued')
  const now = clock.now()
  const quiet = quietFor(request, { now, queued, isRunning: inState('running') !== undefined })
  if (queued) {
    if (queued.kind === request.kind && isSameWish(queued, request)) {
      const news = { ...(isLonger(quiet, queued) ? quiet : {}), ...takenOver(queued, request) }
      if (Object.keys(news).length > 0) {
        await db.updateTable('deployments').set(news).where('id', '=', queued.id).execute()
      }
      return deploymentFrom({ ...queued, ...news, app: app.name })
    }
    if (isHint(request.trigger) && isNamed(wishIn(queued))) {
      await db
        .updateTable('deployments')
        .set({ then_trigger: JSON.stringify(request.trigger) })
        .where('id', '=', queued.id)
        .execute()
      return await readDeployment(db, queued.id)
    }
    await db
      .updateTable('deployments')
      .set({ state: 'superseded', outcome: 'superseded', finished_at: now })
      .where('id', '=', queued.id)
      .execute()
    await noteDeployment(context, queued.id)
  }
  const id = newId()
  await db
    .insertInto('deployments')
    .values({
      id,
      app_id: request.appId,
      kind: request.kind,
      state: 'queued',
      trigger: JSON.stringify(request.trigger),
      ...wishColumns(request),
      // The tip is looked at anyway unless something is wanted by name.
      then_trigger: isNamed(request) ? (queued?.then_trigger ?? left ?? null) : null,
      cancel_requested: 0,
      created_at: now,
      ...quiet,
    })
    .execute()
  await noteDeployment(context, id)
  return await readDeployment(db, id)
}

/** What no person asks for does not take the place of what one wants. A look at the branch is done when it is started. */
async function waitBehindStop(
  db: Kysely<Tables>,
  stop: OpenDeployment,
  { trigger }: DeployRequest,
): Promise<Deployment> {
  if (isHint(trigger)) {
    await db
      .updateTable('deployments')
      .set({ then_trigger: JSON.stringify(trigger) })
      .where('id', '=', stop.id)
      .execute()
  }
  return await readDeployment(db, stop.id)
}

const appWithId = compiledOnce((db, { id }: { id: string }) =>
  db.selectFrom('apps').select(['id', 'name', 'paused_at', 'stopped_at']).where('id', '=', id),
)

const OPEN = ['queued', 'running', 'waiting'] as const

type OpenDeployment = Selectable<DeploymentTable>

/** Those of an app that have not ended: one of each state at most. */
const openDeployments = compiledOnce((db, { app }: { app: string }) =>
  db
    .selectFrom('deployments')
    .selectAll()
    // As literals, so that the unique indexes answer, however long the history is.
    .where(eb =>
      eb.or(OPEN.map(state => eb.and([eb('app_id', '=', app), eb('state', '=', sql.lit(state))]))),
    ),
)

/** Gives what waited behind the one that is superseded. */
async function supersedeWaiting(
  context: DeploymentsContext,
  { app, waiting }: { app: { readonly name: string }; waiting: OpenDeployment | undefined },
  request: DeployRequest,
): Promise<string | null | undefined> {
  const { db, clock, events } = context
  if (!waiting || !givesWay(wishIn(waiting), request)) {
    return undefined
  }
  await db
    .updateTable('deployments')
    .set({ state: 'superseded', outcome: 'superseded', finished_at: clock.now() })
    .where('id', '=', waiting.id)
    .execute()
  await noteDeployment(context, waiting.id)
  afterCommit(db, () => events.publish('deployment', { id: waiting.id, app: app.name, state: 'superseded' }))
  return waiting.then_trigger
}
