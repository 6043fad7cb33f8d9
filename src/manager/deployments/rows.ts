import type { Selectable } from 'kysely'
import type { DeploymentTable, StepTable } from '#manager/store/tables.ts'
import type { Approval, Deployment, ListedDeployment, StepRecord } from './deployment.ts'
import { artifactIn } from './wish.ts'

/** A deployment as its row, joined with the name of its app, says it. */
export function deploymentFrom(row: Selectable<DeploymentTable> & { app: string }): Deployment {
  return {
    ...listedFrom(row),
    drifted: parsed(row.drifted),
    plan: parsed(row.plan),
    evidence: parsed(row.evidence),
  }
}

/** What listedFrom needs. */
export const LISTED = [
  ...(['id', 'app_id', 'kind', 'state', 'outcome', 'trigger', 'then_trigger'] as const),
  ...(['wanted_commit', 'wanted_release', 'wanted_version', 'wanted_service'] as const),
  ...(['commit', 'commit_subject', 'plan_hash', 'approved_hash', 'approved_by', 'approved_at'] as const),
  ...(['waiting_since', 'waited_ms', 'error', 'failed_step', 'release_id', 'cancel_requested'] as const),
  ...(['created_at', 'started_at', 'deadline_at', 'finished_at'] as const),
] satisfies (keyof DeploymentTable)[]

type ListedRow = Pick<Selectable<DeploymentTable>, (typeof LISTED)[number]> & { app: string }

export function listedFrom(row: ListedRow): ListedDeployment {
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
    wantedArtifact: artifactIn(row),
    thenTrigger: parsed(row.then_trigger),
    commit: row.commit ?? undefined,
    commitSubject: row.commit_subject ?? undefined,
    planHash: row.plan_hash ?? undefined,
    approved: approvalFrom(row),
    waitingSince: row.waiting_since ?? undefined,
    waitedMs: row.waited_ms ?? 0,
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

function approvalFrom(row: ListedRow): Approval | undefined {
  const { approved_hash: hash, approved_by: by, approved_at: at } = row
  return hash && by && at ? { hash, by, at } : undefined
}

export function stepFrom(row: Selectable<StepTable>): StepRecord {
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
