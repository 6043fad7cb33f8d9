import type { Kysely, Selectable } from 'kysely'
import type { DeploymentTable, StepTable, Tables } from '#manager/store/tables.ts'
import type { Deployment, StepRecord } from './deployment.ts'
import type { DeploymentFilter } from './queries.ts'
import { deploymentFrom, stepFrom } from './rows.ts'

/** As many as stay of an app that is gone, newest first. */
const KEPT = 200
const OPEN: readonly string[] = ['queued', 'running', 'waiting']

/** Keeps what happened to an app, just before the app is deleted and its deployments with it. */
export async function keepPast(
  db: Kysely<Tables>,
  app: { readonly id: string; readonly name: string },
  now: number,
): Promise<void> {
  const rows = await db
    .selectFrom('deployments')
    .selectAll()
    .where('app_id', '=', app.id)
    .orderBy('id', 'desc')
    .limit(KEPT)
    .execute()
  const { repository_id } = await db
    .selectFrom('apps')
    .select('repository_id')
    .where('id', '=', app.id)
    .executeTakeFirstOrThrow()
  for (const row of rows) {
    const steps = await db
      .selectFrom('steps')
      .selectAll()
      .where('deployment_id', '=', row.id)
      .orderBy('position')
      .execute()
    // An app that is only forgotten takes an open deployment with it.
    const ended = OPEN.includes(row.state) ? { ...row, state: 'cancelled', finished_at: now } : row
    await db
      .insertInto('past_deployments')
      .values({
        id: row.id,
        app: app.name,
        ...{ repository_id, commit: row.commit },
        state: ended.state,
        deployment: JSON.stringify(ended),
        steps: JSON.stringify(steps),
      })
      .execute()
  }
}

/** A deployment of an app that is gone. */
export async function findPast(
  db: Kysely<Tables>,
  id: string,
): Promise<{ deployment: Deployment; steps: StepRecord[] } | undefined> {
  const row = await db.selectFrom('past_deployments').selectAll().where('id', '=', id).executeTakeFirst()
  return (
    row && {
      deployment: fromPast(row),
      steps: (JSON.parse(row.steps) as Selectable<StepTable>[]).map(stepFrom),
    }
  )
}

/** As listDeployments, for apps that are gone. */
export async function listPast(db: Kysely<Tables>, filter: DeploymentFilter): Promise<Deployment[]> {
  let query = db.selectFrom('past_deployments').selectAll().orderBy('id', 'desc').limit(filter.limit)
  if (filter.app !== undefined) {
    query = query.where('app', '=', filter.app)
  }
  if (filter.state !== undefined) {
    query = query.where('state', '=', filter.state)
  }
  if (filter.before !== undefined) {
    query = query.where('id', '<', filter.before)
  }
  const { only } = filter
  if (only !== undefined) {
    // A name is free once its app is gone: the past is that of the repository, not of whoever has the name now.
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('apps')
          .select('apps.id')
          .whereRef('apps.name', '=', 'past_deployments.app')
          .whereRef('apps.repository_id', '=', 'past_deployments.repository_id')
          .where('apps.name', 'in', only),
      ),
    )
  }
  return (await query.execute()).map(fromPast)
}

/** Those from a commit of a repository, of apps that are gone, oldest first. */
export async function pastOfCommit(
  db: Kysely<Tables>,
  { repositoryId, commit }: { readonly repositoryId: string; readonly commit: string },
): Promise<Deployment[]> {
  const rows = await db
    .selectFrom('past_deployments')
    .selectAll()
    .where('repository_id', '=', repositoryId)
    .where('commit', '=', commit)
    .orderBy('id')
    .execute()
  return rows.map(fromPast)
}

function fromPast({ app, deployment }: { app: string; deployment: string }): Deployment {
  return deploymentFrom({ ...(JSON.parse(deployment) as Selectable<DeploymentTable>), app })
}
