import type { SeenCluster } from '#contract/cluster.ts'
import { APP_EXISTS } from '#manager/apps/errors.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import { isConstraintViolation } from '#manager/store/store-error.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { SYSTEM_BUSY, SYSTEM_NOT_SEEN } from './errors.ts'
import { readSystem } from './queries.ts'

/** Gives a system another name; the deployment that it answers with stops it for that, as its host name changes too. */
export async function renameSystem(
  context: DeploymentsContext,
  { name, to, by }: { readonly name: string; readonly to: string; readonly by: string },
): Promise<Deployment> {
  const deployment = await inTransaction(context.db, async db => {
    const { app } = await readSystem(db, name)
    const open = await db
      .selectFrom('deployments')
      .select('id')
      .where('app_id', '=', app.id)
      .where('state', 'in', ['queued', 'running', 'waiting'])
      .executeTakeFirst()
    if (open) {
      throw SYSTEM_BUSY(name, open.id)
    }
    const host = await db
      .selectFrom('hosts')
      .select('cluster')
      .where('name', '=', app.host)
      .executeTakeFirst()
    const { outOfReach } = JSON.parse(host?.cluster ?? '{"outOfReach":[]}') as Pick<SeenCluster, 'outOfReach'>
    const lost = outOfReach.find(each => each.name === name)
    if (lost) {
      // Found by its new name only, it would be made anew beside the old one.
      throw SYSTEM_NOT_SEEN(name, lost.member)
    }
    await db
      .updateTable('apps')
      .set(eb => ({ name: to, entry: to, updated_at: context.clock.now(), version: eb('version', '+', 1) }))
      .where('id', '=', app.id)
      .execute()
      .catch(error => {
        throw isConstraintViolation(error) ? APP_EXISTS(to) : error
      })
    const trigger = { kind: 'api', by } as const
    return await requestDeployment({ ...context, db }, { appId: app.id, kind: 'deploy', trigger })
  })
  context.events.publish('app', { id: deployment.appId, app: to, state: 'changed' })
  return deployment
}
