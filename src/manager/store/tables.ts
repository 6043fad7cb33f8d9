import type { Generated } from 'kysely'

/**
 * The tables, as Kysely sees them. Times are ms since 1970; JSON columns hold text made by JSON.stringify;
 * `*_sealed` columns hold values encrypted by secrets/seal.ts. Booleans are 0 and 1 (SQLite has no other).
 */
export interface Tables {
  meta: MetaTable
  tokens: TokenTable
  hosts: HostTable
  repositories: RepositoryTable
  hooks: HookTable
  deliveries: DeliveryTable
  apps: AppTable
  domains: DomainTable
  secrets: SecretTable
  secret_revisions: SecretRevisionTable
  deployments: DeploymentTable
  steps: StepTable
  commands: CommandTable
  releases: ReleaseTable
  idempotency: IdempotencyTable
}

/** Single values: `epoch` (fencing counter towards agents), `identity` … */
export interface MetaTable {
  key: string
  value: string
}

export interface TokenTable {
  id: string
  name: string
  /** sha256 of the token, hex. */
  hash: string
  created_at: number
  last_used_at: number | null
}

export interface HostTable {
  name: string
  role: 'worker' | 'guardian'
  /** host:port that the manager dials. */
  address: string
  /** Public identity (link/identity.ts) as JSON: what is pinned. */
  identity: string
  created_at: number
}

export interface RepositoryTable {
  id: string
  name: string
  url: string
  branch: string
  /** Name of the worker that reads it. */
  host: string
  /** JSON of the credential, encrypted; null for none. */
  credential_sealed: string | null
  /** PEM of the authority of a self-signed HTTPS server. */
  ca: string | null
  poll_seconds: number
  /** 1: apps that its files describe are created by themselves. */
  auto_apps: number
  last_tip: string | null
  last_polled_at: number | null
  poll_failures: number
  /** JSON of the last error of a poll or check, null when the last one worked. */
  problem: string | null
  version: number
  created_at: number
  updated_at: number
}

export interface HookTable {
  /** 128 random bits in the URL: a locator, not a secret. */
  id: string
  repository_id: string
  /** Name of the git host file that verifies it. */
  git_host: string
  secret_sealed: string
  previous_sealed: string | null
  previous_until: number | null
  /** Id of the remote repository that deliveries must carry; learnt from the first one if null. */
  remote_id: string | null
  last_delivery_at: number | null
  created_at: number
}

export interface DeliveryTable {
  hook_id: string
  delivery_id: string
  body_sha256: string
  event: string
  state: 'accepted' | 'ignored'
  /** Why it was ignored. */
  reason: string | null
  /** JSON array of deployment ids. */
  deployments: string
  attempts: number
  received_at: number
}

export interface AppTable {
  id: string
  name: string
  repository_id: string | null
  /** Name of the app in the deploy file. */
  entry: string
  target: string
  /** JSON: settings that win over the deploy file's. */
  overrides: string
  host: string
  /** 1: deployments wait for a person's agreement; null: as the deploy file says. */
  approval: number | null
  /** JSON of the last answer to "what runs?", with its time. */
  observed: string | null
  version: number
  created_at: number
  updated_at: number
}

export interface DomainTable {
  host: string
  app_id: string
}

export interface SecretTable {
  app_id: string
  name: string
  value_sealed: string
  revision: number
  updated_at: number
}

/** Every value that a release may need again; `secrets` has the newest. */
export interface SecretRevisionTable {
  app_id: string
  name: string
  revision: number
  value_sealed: string
  created_at: number
}

export type DeploymentState =
  | 'queued'
  | 'running'
  | 'waiting'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'superseded'

export interface DeploymentTable {
  id: string
  app_id: string
  kind: 'deploy' | 'rollback' | 'remove'
  state: DeploymentState
  /** `deployed`, `nothing-to-do`, `rolled-back` …; null until it ended. */
  outcome: string | null
  /** JSON {kind, by, detail}. */
  trigger: string
  /** Exact commit that was asked for; null means the tip of the branch. */
  wanted_commit: string | null
  /** Release to go back to, for a rollback. */
  wanted_release: string | null
  commit: string | null
  commit_subject: string | null
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
  created_at: number
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

export interface ReleaseTable {
  id: string
  app_id: string
  deployment_id: string
  commit: string
  config_hash: string
  /** JSON: Plan.release filled in. */
  content: string
  /** null in what a rollback cannot use: releases of programs that did not keep it yet. */
  commit_subject: string | null
  target: string | null
  /** JSON of the settled settings (Target.settle). */
  settings_sealed: string | null
  /** JSON: names of the app's secrets -> revision. */
  secrets: string | null
  /** The release that this one brought back; its own id for one that was made from a commit. */
  origin: string | null
  /** After a rollback: the commit it turned away from, which no webhook and no poll deploys again. */
  held_commit: string | null
  created_at: number
}

export interface IdempotencyTable {
  token_id: string
  key: string
  request_sha256: string
  status: Generated<number>
  response: string | null
  created_at: number
}
