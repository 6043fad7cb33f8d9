import type { Kysely } from 'kysely'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { hasStarted } from '#manager/deployments/has-started.ts'
import { keepPast } from '#manager/deployments/past.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { APP_DEPLOYING, VERSION_CHANGED } from './errors.ts'
import { readApp } from './queries.ts'

export interface Removal {
  readonly name: string
  readonly version: number | undefined
  /** Name of the token that asked. */
  readonly by: string
  readonly volumes: 'keep' | 'delete'
  /** `forget` deletes the record and leaves the host alone: for a host that will not come back. */
  readonly how: 'take-down' | 'forget'
}

/** Requests that everything of the app is taken down; undefined when nothing ever ran and it is gone at once. */
export async function removeApp(
  context: DeploymentsContext,
  removal: Removal,
): Promise<Deployment | undefined> {
  const app = await readApp(context.db, removal.name)
  if (removal.version !== undefined && removal.version !== app.version) {
    throw VERSION_CHANGED(`The app "${app.name}"`, app.version)
  }
  const requested = await inTransaction(context.db, async db => {
    if (removal.how === 'forget' || !(await hasStarted(db, app.id))) {
      await refuseWhileDeployed(db, app)
      await keepPast(db, app, context.clock.now())
      await db.deleteFrom('apps').where('id', '=', app.id).execute()
      return undefined
    }
    const trigger = {
      kind: 'api',
      by: removal.by,
      ...(removal.volumes === 'delete' ? DELETE_VOLUMES : {}),
    } as const
    return await requestDeployment({ ...context, db }, { appId: app.id, kind: 'remove', trigger })
  })
  if (!requested) {
    context.events.publish('app', { id: app.id, app: app.name, state: 'removed' })
  }
  return requested
}

/** A pipeline at work knows nothing of a record that is gone, and would start what nobody has. */
async function refuseWhileDeployed(db: Kysely<Tables>, app: { id: string; name: string }): Promise<void> {
  const running = await db
    .selectFrom('deployments')
    .select('id')
    .where('app_id', '=', app.id)
    .where('state', '=', 'running')
    .executeTakeFirst()
  if (running) {
    throw APP_DEPLOYING(app.name)
  }
}

/** What the step take-down looks for. */
const DELETE_VOLUMES = { detail: 'delete-volumes' }
