import type { Transaction } from 'kysely'
import { type Deployment, isHint, type Trigger } from '#manager/deployments/deployment.ts'
import { readDeployment } from '#manager/deployments/queries.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import { newestRelease } from '#manager/releases/queries.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { targetNamed } from '#targets/index.ts'
import { system } from '#targets/system.ts'
import { APP_NOT_RELEASED, APP_NOT_STOPPABLE, APP_NOT_STOPPED } from './errors.ts'
import { type AppRecord, readApp } from './queries.ts'

export interface StopRequest {
  readonly app: string
  /** Name of the token that asked. */
  readonly by: string
}

/**
 * Requests that all that runs of an app is ended, and stays so until a person starts or deploys it. A look at the branch
 * that was queued is done when it is started again.
 */
export async function stopApp(
  context: DeploymentsContext,
  { app: name, by }: StopRequest,
): Promise<Deployment> {
  const app = await readApp(context.db, name)
  refuseUnstoppable(app)
  if (!app.release) {
    throw APP_NOT_RELEASED(name)
  }
  return await requestKeepingHint(context, app.id, { kind: 'stop', trigger: { kind: 'api', by } })
}

/** Requests the release that ran when the app was stopped; what was pushed since is looked at after it. */
export async function startApp(
  context: DeploymentsContext,
  { app: name, by }: StopRequest,
): Promise<Deployment> {
  const app = await readApp(context.db, name)
  const release = await newestRelease(context.db, app.id)
  if (app.stopped_at === null || !release) {
    throw APP_NOT_STOPPED(name)
  }
  const trigger = { kind: 'api', by, detail: 'start' } as const
  return await requestKeepingHint(context, app.id, { kind: 'deploy', trigger, release: release.id })
}

function refuseUnstoppable({ name, target, stack }: AppRecord): void {
  if (stack !== null) {
    throw APP_NOT_STOPPABLE(
      name,
      'it is a folder of its host',
      'Stop it there: "docker compose stop" in that folder.',
    )
  }
  if (target === system.name) {
    throw APP_NOT_STOPPABLE(name, 'it is a system container', `Use "fairlead systems stop ${name}".`)
  }
  if (!targetNamed(target)?.stop) {
    throw APP_NOT_STOPPABLE(
      name,
      `nothing of the target "${target}" can be stopped`,
      'Remove the app instead.',
    )
  }
}

interface Wanted {
  readonly kind: 'stop' | 'deploy'
  readonly trigger: Trigger
  readonly release?: string
}

/** What is queued gives way; where it was a look at the branch, that is done after this one. */
async function requestKeepingHint(
  context: DeploymentsContext,
  appId: string,
  wanted: Wanted,
): Promise<Deployment> {
  return await inTransaction(context.db, async db => {
    const hint = await queuedHint(db, appId)
    const { id } = await requestDeployment({ ...context, db }, { appId, ...wanted })
    if (hint !== undefined) {
      await db
        .updateTable('deployments')
        .set({ then_trigger: hint })
        .where('id', '=', id)
        .where('then_trigger', 'is', null)
        .execute()
    }
    return await readDeployment(db, id)
  })
}

async function queuedHint(db: Transaction<Tables>, appId: string): Promise<string | undefined> {
  const queued = await db
    .selectFrom('deployments')
    .select(['kind', 'trigger', 'then_trigger'])
    .where('app_id', '=', appId)
    .where('state', '=', 'queued')
    .executeTakeFirst()
  const isLook = queued?.kind === 'deploy' && isHint(JSON.parse(queued.trigger) as Trigger)
  return isLook ? queued.trigger : (queued?.then_trigger ?? undefined)
}
