import type { Kysely, Selectable } from 'kysely'
import type { DeploymentTable, Tables } from '#manager/store/tables.ts'
import { type Deployment, type DeployRequest, isHint, type Trigger } from './deployment.ts'
import { APP_BEING_REMOVED } from './errors.ts'
import { readDeployment } from './queries.ts'

type Removal = Pick<Selectable<DeploymentTable>, 'id' | 'trigger'>

/**
 * What becomes of a request while its app is being removed. A removal that files asked for does not outlast them: a push
 * that comes meanwhile is looked at when it has ended. APP_BEING_REMOVED for all else.
 */
export async function waitBehindRemoval(
  db: Kysely<Tables>,
  { app, removal }: { readonly app: string; readonly removal: Removal },
  { kind, trigger }: DeployRequest,
): Promise<Deployment> {
  const byFiles = (JSON.parse(removal.trigger) as Trigger).kind === 'files'
  if (byFiles && kind === 'deploy' && isHint(trigger)) {
    await db
      .updateTable('deployments')
      .set({ then_trigger: JSON.stringify(trigger) })
      .where('id', '=', removal.id)
      .execute()
  } else if (!byFiles || trigger.kind !== 'files') {
    throw APP_BEING_REMOVED(app)
  }
  return await readDeployment(db, removal.id)
}
