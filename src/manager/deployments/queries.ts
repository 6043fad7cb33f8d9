import { type ExpressionBuilder, type Kysely, sql } from 'kysely'
import { compiledOnce } from '#manager/store/compiled-once.ts'
import type { AppTable, DeploymentState, Tables } from '#manager/store/tables.ts'
import type { Deployment, ListedDeployment, StepRecord } from './deployment.ts'
import { DEPLOYMENT_NOT_FOUND } from './errors.ts'
import { findPast, listPast } from './past.ts'
import { deploymentFrom, LISTED, listedFrom, stepFrom } from './rows.ts'

export interface DeploymentFilter {
  readonly app?: string | undefined
  readonly state?: DeploymentState | undefined
  /** Names of the apps that may be seen; absent: all. */
  readonly only?: readonly string[] | undefined
  /** Id of the last one of the page before; newest come first. */
  readonly before?: string | undefined
  readonly limit: number
}

export interface Startable {
  readonly id: string
  readonly kind: Deployment['kind']
  readonly state: DeploymentState
  readonly appId: string
  readonly app: string
  /** JSON of what asked for it. */
  readonly trigger: string
  /** When the app was paused, and when a person last ended that. */
  readonly pausedAt: number | null
  readonly resumedAt: number | null
  /** Since when it is stopped because a person wanted that. */
  readonly stoppedAt: number | null
  /** Not before; null: now. */
  readonly startsAt: number | null
  readonly host: string
  readonly overrides: string
  readonly byFiles: AppTable['by_files']
  readonly repositoryId: string | null
  /** 1: it brings back the release before the one that runs. */
  readonly wantsPrevious: number
}

/** The deployment with this id, also one of an app that is gone, or DEPLOYMENT_NOT_FOUND. */
export async function readDeployment(db: Kysely<Tables>, id: string): Promise<Deployment> {
  const [row] = await deploymentWithId(db, { id })
  const found = row ? deploymentFrom(row) : (await findPast(db, id))?.deployment
  if (!found) {
    throw DEPLOYMENT_NOT_FOUND(id)
  }
  return found
}

const deploymentWithId = compiledOnce((db, { id }: { id: string }) =>
  selectDeployments(db).where('deployments.id', '=', id),
)

/** A deployment with its steps, also one of an app that is gone. */
export async function readDetail(
  db: Kysely<Tables>,
  id: string,
): Promise<{ deployment: Deployment; steps: StepRecord[] }> {
  const past = await findPast(db, id)
  return past ?? { deployment: await readDeployment(db, id), steps: await readSteps(db, id) }
}

/** As listDeployments, with those of apps that are gone among them. */
export async function listHistory(db: Kysely<Tables>, filter: DeploymentFilter): Promise<ListedDeployment[]> {
  const [present, past] = await Promise.all([listDeployments(db, filter), listPast(db, filter)])
  return [...present, ...past].sort((one, other) => (one.id < other.id ? 1 : -1)).slice(0, filter.limit)
}

/** Of apps that are there. */
export async function listDeployments(
  db: Kysely<Tables>,
  filter: DeploymentFilter,
): Promise<ListedDeployment[]> {
  let query = selectListed(db).orderBy('deployments.id', 'desc').limit(filter.limit)
  if (filter.app !== undefined) {
    query = query.where('apps.name', '=', filter.app)
  }
  if (filter.state !== undefined) {
    query = query.where('deployments.state', '=', filter.state)
  }
  if (filter.before !== undefined) {
    query = query.where('deployments.id', '<', filter.before)
  }
  if (filter.only !== undefined) {
    const { only } = filter
    query = query.where('deployments.id', 'in', eb => newestIdsOf(eb, { ...filter, only }))
  }
  return (await query.execute()).map(listedFrom)
}

/** Found by app: going through all deployments until enough of these apps were met takes longer the fewer they have. */
function newestIdsOf(
  eb: ExpressionBuilder<Tables, 'deployments' | 'apps'>,
  { app, state, before, only, limit }: DeploymentFilter & { readonly only: readonly string[] },
) {
  const names = app === undefined ? only : only.filter(name => name === app)
  let own = eb
    .selectFrom('deployments as own')
    .select('own.id')
    .where('own.app_id', 'in', of =>
      of.selectFrom('apps as seen').select('seen.id').where('seen.name', 'in', names),
    )
    .orderBy('own.id', 'desc')
    .limit(limit)
  if (state !== undefined) {
    own = own.where('own.state', '=', state)
  }
  if (before !== undefined) {
    own = own.where('own.id', '<', before)
  }
  return own
}

/** The newest deployment of each of these apps, by the id of the app: one look into an index for each. */
export async function newestOf(
  db: Kysely<Tables>,
  appIds: readonly string[],
): Promise<ReadonlyMap<string, ListedDeployment>> {
  const rows = appIds.length === 0 ? [] : await newestOfApps(db, { apps: JSON.stringify(appIds) })
  return new Map(rows.map(row => [row.app_id, listedFrom(row)]))
}

/** `apps`: JSON of a list of ids, so that a list of every length is the same statement. */
const newestOfApps = compiledOnce((db, { apps }: { readonly apps: string }) =>
  selectListed(db).where('deployments.id', 'in', eb =>
    eb
      .selectFrom('apps as shown')
      .select(of =>
        of
          .selectFrom('deployments as newest')
          .select(({ fn }) => fn.max('newest.id').as('id'))
          .whereRef('newest.app_id', '=', 'shown.id')
          .as('id'),
      )
      .where('shown.id', 'in', sql<string>`(select value from json_each(${apps}))`),
  ),
)

/**
 * Deployments that may start, now or when requests have ceased: queued, or approved while they waited; oldest first, of apps without a running one.
 * A look at the branch is queued behind what was wanted by name, also while that waits for an approval.
 */
export async function readStartable(db: Kysely<Tables>): Promise<Startable[]> {
  return await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select([
      'deployments.id',
      'deployments.kind',
      'deployments.state',
      'deployments.app_id as appId',
      'deployments.trigger',
      'apps.name as app',
      'apps.paused_at as pausedAt',
      'apps.resumed_at as resumedAt',
      'apps.stopped_at as stoppedAt',
      'deployments.starts_at as startsAt',
      'apps.host',
      'apps.overrides',
      'apps.by_files as byFiles',
      'apps.repository_id as repositoryId',
      'deployments.wanted_previous as wantsPrevious',
    ])
    .where(eb =>
      eb.or([
        eb('deployments.state', '=', 'queued'),
        eb.and([eb('deployments.state', '=', 'waiting'), eb('deployments.approved_hash', 'is not', null)]),
      ]),
    )
    .where(eb =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('deployments as other')
            .select('other.id')
            .whereRef('other.app_id', '=', 'deployments.app_id')
            .where(other =>
              other.or([
                other('other.state', '=', 'running'),
                other.and([
                  other('other.state', '=', 'waiting'),
                  other.or([
                    other('other.wanted_commit', 'is not', null),
                    other('other.wanted_version', 'is not', null),
                  ]),
                  other('deployments.state', '=', 'queued'),
                  other('deployments.wanted_commit', 'is', null),
                  other('deployments.wanted_release', 'is', null),
                  other('deployments.wanted_version', 'is', null),
                ]),
              ]),
            ),
        ),
      ),
    )
    .orderBy('deployments.first', 'desc')
    .orderBy('deployments.id')
    .execute()
}

export async function readRunning(
  db: Kysely<Tables>,
): Promise<{ id: string; host: string; trigger: string }[]> {
  return await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select(['deployments.id', 'deployments.trigger', 'apps.host'])
    .where('deployments.state', '=', 'running')
    .orderBy('deployments.id')
    .execute()
}

/** The steps that have started, in the order of the pipeline. */
export async function readSteps(db: Kysely<Tables>, deployment: string): Promise<StepRecord[]> {
  const rows = await db
    .selectFrom('steps')
    .selectAll()
    .where('deployment_id', '=', deployment)
    .orderBy('position')
    .execute()
  return rows.map(stepFrom)
}

function selectDeployments(db: Kysely<Tables>) {
  return db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .selectAll('deployments')
    .select('apps.name as app')
}

function selectListed(db: Kysely<Tables>) {
  return db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select(LISTED.map(column => `deployments.${column}` as const))
    .select('apps.name as app')
}
