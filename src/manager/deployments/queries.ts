import type { Kysely, Selectable } from 'kysely'
import type { DeploymentState, DeploymentTable, StepTable, Tables } from '#manager/store/tables.ts'
import type { Deployment, StepRecord } from './deployment.ts'
import { DEPLOYMENT_NOT_FOUND } from './errors.ts'

export interface DeploymentFilter {
  readonly app?: string | undefined
  readonly state?: DeploymentState | undefined
  /** Id of the last one of the page before; newest come first. */
  readonly before?: string | undefined
  readonly limit: number
}

type Row = Selectable<DeploymentTable> & { app: string }

/** The deployment with this id, or DEPLOYMENT_NOT_FOUND. */
export async function readDeployment(db: Kysely<Tables>, id: string): Promise<Deployment> {
  const row = await selectDeployments(db).where('deployments.id', '=', id).executeTakeFirst()
  if (!row) {
    throw DEPLOYMENT_NOT_FOUND(id)
  }
  return fromRow(row)
}

export async function listDeployments(db: Kysely<Tables>, filter: DeploymentFilter): Promise<Deployment[]> {
  let query = selectDeployments(db).orderBy('deployments.id', 'desc').limit(filter.limit)
  if (filter.app !== undefined) {
    query = query.where('apps.name', '=', filter.app)
  }
  if (filter.state !== undefined) {
    query = query.where('deployments.state', '=', filter.state)
  }
  if (filter.before !== undefined) {
    query = query.where('deployments.id', '<', filter.before)
  }
  return (await query.execute()).map(fromRow)
}

/** Deployments that may start now: queued, oldest first, of apps without a running one. */
export async function readStartable(
  db: Kysely<Tables>,
): Promise<{ id: string; host: string; overrides: string }[]> {
  return await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select(['deployments.id', 'apps.host', 'apps.overrides'])
    .where('deployments.state', '=', 'queued')
    .where(eb =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('deployments as other')
            .select('other.id')
            .whereRef('other.app_id', '=', 'deployments.app_id')
            .where('other.state', 'in', ['running', 'waiting']),
        ),
      ),
    )
    .orderBy('deployments.id')
    .execute()
}

export async function readRunning(db: Kysely<Tables>): Promise<{ id: string; host: string }[]> {
  return await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select(['deployments.id', 'apps.host'])
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
  return rows.map(stepFromRow)
}

function selectDeployments(db: Kysely<Tables>) {
  return db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .selectAll('deployments')
    .select('apps.name as app')
}

function fromRow(row: Row): Deployment {
  return {
    id: row.id,
    appId: row.app_id,
    app: row.app,
    kind: row.kind,
    state: row.state,
    outcome: row.outcome ?? undefined,
    trigger: JSON.parse(row.trigger),
    wantedCommit: row.wanted_commit ?? undefined,
    wantedRelease: row.wanted_release ?? undefined,
    commit: row.commit ?? undefined,
    commitSubject: row.commit_subject ?? undefined,
    plan: parsed(row.plan),
    planHash: row.plan_hash ?? undefined,
    evidence: parsed(row.evidence),
    error: parsed(row.error),
    failedStep: row.failed_step ?? undefined,
    releaseId: row.release_id ?? undefined,
    cancelRequested: row.cancel_requested === 1,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    deadlineAt: row.deadline_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
  }
}

function stepFromRow(row: Selectable<StepTable>): StepRecord {
  return {
    name: row.name,
    state: row.state,
    startedAt: row.started_at,
    deadlineAt: row.deadline_at,
    finishedAt: row.finished_at ?? undefined,
    outcome: parsed(row.outcome),
    error: parsed(row.error),
  }
}

function parsed<T>(text: string | null): T | undefined {
  return text === null ? undefined : (JSON.parse(text) as T)
}
