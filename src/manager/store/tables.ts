import type { Generated } from 'kysely'
import type { AddressListTable } from './address-list-table.ts'
import type { ArtifactTable } from './artifact-table.ts'
import type { AttestationTable } from './attestation-table.ts'
import type { AuditTable } from './audit-table.ts'
import type { CiTrustTable } from './ci-trust-table.ts'
import type { CommandTable, DeploymentTable, StepTable } from './deployment-tables.ts'
import type { GivenNameTable } from './given-name-table.ts'
import type { HeldRemovalTable } from './held-removal-table.ts'
import type { HookTable } from './hook-table.ts'
import type { HostTable } from './host-table.ts'
import type { IdempotencyTable } from './idempotency-table.ts'
import type { ImagePinTable } from './image-pin-table.ts'
import type { JoinTokenTable, RevokedKeyTable } from './join-token-table.ts'
import type { KeptFactsTable } from './kept-facts-table.ts'
import type { LeaderTable, SharedFileTable } from './leader-tables.ts'
import type { LogPieceTable } from './log-piece-table.ts'
import type { MadeRoomTable } from './made-room-table.ts'
import type { MessageRemovalTable } from './message-removal-table.ts'
import type { NotebookTables } from './notebook-tables.ts'
import type { OpeningTable } from './opening-table.ts'
import type { OrganisationTable } from './organisation-table.ts'
import type { ChannelTable, OutboxTable, ReportTable } from './outbox-tables.ts'
import type { PastDeploymentTable } from './past-table.ts'
import type { PersonTable, SessionTable } from './people-tables.ts'
import type { MemberTable, ProjectItemTable, ProjectTable } from './project-tables.ts'
import type { SignInTables } from './provider-tables.ts'
import type { PublishedPortTable } from './published-port-table.ts'
import type { PushedCommitTable } from './pushed-table.ts'
import type { RegistryPathTable } from './registry-path-table.ts'
import type { SecretRevisionTable, SecretTable } from './secret-tables.ts'
import type { ServiceNameTable } from './service-name-table.ts'
import type { SharedSecretTables } from './shared-secret-table.ts'
import type { SignedCallTable } from './signed-table.ts'
import type { SystemTables } from './system-tables.ts'
import type { TokenTable } from './token-table.ts'
import type { VisitTable } from './visit-table.ts'

export type {
  CommandTable,
  DeploymentKind,
  DeploymentState,
  DeploymentTable,
  StepTable,
} from './deployment-tables.ts'
export type { HostTable } from './host-table.ts'

/**
 * The tables, as Kysely sees them. Times are ms since 1970; JSON columns hold text made by JSON.stringify;
 * `*_sealed` columns hold values encrypted by secrets/seal.ts. Booleans are 0 and 1 (SQLite has no other).
 */
export interface Tables extends NotebookTables, SharedSecretTables, SignInTables, SystemTables {
  meta: MetaTable
  audit: AuditTable
  tokens: TokenTable
  people: PersonTable
  sessions: SessionTable
  projects: ProjectTable
  members: MemberTable
  project_items: ProjectItemTable
  ci_trusts: CiTrustTable
  hosts: HostTable
  join_tokens: JoinTokenTable
  revoked_keys: RevokedKeyTable
  repositories: RepositoryTable
  hooks: HookTable
  organisations: OrganisationTable
  deliveries: DeliveryTable
  apps: AppTable
  domains: DomainTable
  openings: OpeningTable
  published_ports: PublishedPortTable
  address_lists: AddressListTable
  secrets: SecretTable
  secret_revisions: SecretRevisionTable
  deployments: DeploymentTable
  past_deployments: PastDeploymentTable
  kept_facts: KeptFactsTable
  steps: StepTable
  commands: CommandTable
  releases: ReleaseTable
  artifacts: ArtifactTable
  attestations: AttestationTable
  image_pins: ImagePinTable
  given_names: GivenNameTable
  registry_paths: RegistryPathTable
  service_names: ServiceNameTable
  idempotency: IdempotencyTable
  outbox: OutboxTable
  reports: ReportTable
  channels: ChannelTable
  signed_calls: SignedCallTable
  pushed_commits: PushedCommitTable
  message_removals: MessageRemovalTable
  held_removals: HeldRemovalTable
  made_room: MadeRoomTable
  visits: VisitTable
  leader: LeaderTable
  shared_files: SharedFileTable
  log_pieces: LogPieceTable
}

/** Single values: `epoch` (fencing counter towards agents), `identity` … */
export interface MetaTable {
  key: string
  value: string
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
  /** 1: messages of its commits may say what is done (docs/conventions.md); 0: not; null: where it is private. */
  commit_actions: number | null
  /** 1 or 0 as its Git host told its organisation last; null: not known. */
  is_private: number | null
  /** 1: its branch or address was changed, and no app has been found at the new place yet. */
  moved: Generated<number>
  /** The Compose file that is its one app, whatever else is in it; null: its deploy file or the conventions say. */
  compose_path: string | null
  organisation_id: string | null
  /** Id at the host of its organisation. */
  remote_id: string | null
  /** JSON of the error why nothing of it is deployed any more; what runs goes on. */
  stopped: string | null
  /** 1: its credential is the one of its organisation. */
  org_credential: Generated<number>
  last_tip: string | null
  last_polled_at: number | null
  poll_failures: number
  /** JSON of the last error of a poll or check, null when the last one worked. */
  problem: string | null
  version: number
  created_at: number
  updated_at: number
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
  /** Name of a folder of the host: the app is what Compose finds there, and has no repository. */
  stack: string | null
  /** JSON: settings that win over the deploy file's. */
  overrides: string
  host: string
  /** Name of the engine of the host that it is on; null: the host's own. */
  engine: string | null
  /** JSON: engines that it has left and that could not be cleaned yet; null: none. */
  left_engines: string | null
  /** 1: deployments wait for a person's agreement; null: as the deploy file says. */
  approval: number | null
  /** JSON of the last answer to "what runs?", with its time. */
  observed: string | null
  /** JSON of the first such answer after the last deployment that ended: what later ones are compared with. */
  baseline: string | null
  /** JSON of the differences that were seen and are still there; null: none. */
  drift: string | null
  on_drift: Generated<'report' | 'repair'>
  /** Whether strangers may see its badge; null: they may not. */
  badge: 'public' | null
  /** Path of the file that says in the repository where the app is to be found; null: none. */
  url_file: string | null
  /** Since when its deployments wait for a person; null: they do not. */
  paused_at: number | null
  /** When a person last ended that. */
  resumed_at: number | null
  /** Since when it is stopped because a person wanted that; null: it is not. */
  stopped_at: number | null
  /** Name of the token that asked for it. */
  stopped_by: string | null
  /** JSON {cron, time_zone} of the deploy file; null: none. */
  schedule: string | null
  /** The last of its times that was dealt with, or when it was first seen. */
  schedule_at: number | null
  /** JSON of the images that its tags were seen to mean last (MovedImages); null: none has moved. */
  moved_images: string | null
  /** What kind of app the names of the repository's files made it; null: somebody described it otherwise. */
  by_files: 'image' | 'stack' | 'notebook' | null
  /** 1: a tag that is pushed asks for a deployment. */
  uses_tags: Generated<number>
  version: number
  created_at: number
  updated_at: number
}

export interface DomainTable {
  host: string
  app_id: string
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
  /** JSON of the commits of other repositories that it has files of (Joined); null: none. */
  remotes: string | null
  created_at: number
  /** The newest commit that was seen to want exactly this release, by which deployment and when. */
  confirmed_commit: string | null
  confirmed_by: string | null
  confirmed_at: number | null
}
