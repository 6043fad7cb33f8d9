import type { Generated } from 'kysely'

/** Deployments and what their journal holds; conventions as in tables.ts. */

export type DeploymentState =
  | 'queued'
  | 'running'
  | 'waiting'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'superseded'

/** stop ends what runs of an app and keeps its record; remove ends both. */
export type DeploymentKind = 'deploy' | 'rollback' | 'stop' | 'remove'

export interface DeploymentTable {
  id: string
  app_id: string
  kind: DeploymentKind
  state: DeploymentState
  /** `deployed`, `nothing-to-do`, `rolled-back` …; null until it ended. */
  outcome: string | null
  /** JSON {kind, by, detail}. */
  trigger: string
  /** Exact commit that was asked for; null means the tip of the branch. */
  wanted_commit: string | null
  /** Release to go back to, for a rollback. */
  wanted_release: string | null
  /** 1: it was asked for as the release before the one that runs; which one that is shows when it begins. */
  wanted_previous: Generated<number>
  /** Version that the artefact is to get, and how its service must be called. */
  wanted_version: string | null
  wanted_service: string | null
  commit: string | null
  commit_subject: string | null
  /** JSON of the commits of other repositories that it takes files of (Joined); null: none. */
  remotes: string | null
  /** JSON of the plan (secret values replaced) and its hash. */
  plan: string | null
  plan_hash: string | null
  /** JSON of evidence: container ids, digests, health, HTTP answers. */
  evidence: string | null
  error: string | null
  failed_step: string | null
  release_id: string | null
  cancel_requested: number
  /** JSON of the trigger of a deployment that is requested when this one has ended. */
  then_trigger: string | null
  /** Hash of the plan that a person agreed to, and who. */
  approved_hash: string | null
  approved_by: string | null
  approved_at: number | null
  /** Since when it waits for that; null: it does not. */
  waiting_since: number | null
  /** How long it waited before: that does not count against its deadline. */
  waited_ms: Generated<number>
  /** JSON of what was changed by hand when the plan was made: this deployment makes it anew. */
  drifted: string | null
  created_at: number
  /** While it is one of a burst of requests: when it may start, and the latest of these times; null: at once. */
  starts_at: number | null
  starts_by: number | null
  /** 1: before those of its push that have nothing to do. */
  first: Generated<number>
  started_at: number | null
  /** When it is ended as failed; null until it started. */
  deadline_at: number | null
  finished_at: number | null
}

export interface StepTable {
  deployment_id: string
  name: string
  position: number
  state: 'running' | 'done' | 'skipped' | 'failed' | 'cancelled'
  attempt: number
  started_at: number
  deadline_at: number
  finished_at: number | null
  /** JSON of what the step produced; enough for the next steps to go on after a restart. */
  outcome: string | null
  error: string | null
}

/** Journal of every command told to an agent: written before the frame is sent. */
export interface CommandTable {
  id: string
  deployment_id: string
  step: string
  key: string
  command: string
  host: string
  state: 'told' | 'succeeded' | 'failed'
  result: string | null
  /** Log lines stored up to here. */
  seq: number
  created_at: number
  finished_at: number | null
}
