import type { Selectable } from 'kysely'
import type { Schedule } from '#deploy-file/schedule.ts'
import type { FairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { VisitorPorts } from '#lib/visit-origin.ts'
import type { Agents } from '#manager/agents/agents.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import type { DeploymentLogs } from '#manager/deployments/logs.ts'
import type { DeploymentsContext } from '#manager/deployments/request.ts'
import type { WithoutEffect } from '#manager/deployments/without-effect.ts'
import type { HttpClient } from '#manager/http.ts'
import type { SeenNotebook } from '#manager/notebooks/seen-notebook.ts'
import type { AllowRules } from '#manager/organisations/origin.ts'
import type { ReleaseGoal } from '#manager/releases/queries.ts'
import type { SecretFile } from '#manager/secrets/encrypted-files.ts'
import type { SecretRevisions } from '#manager/secrets/queries.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { AppTable, RepositoryTable } from '#manager/store/tables.ts'
import type { Wish } from '#manager/triggers/commit-actions.ts'
import type { NotebookFacts } from '#targets/notebook-facts.ts'
import type { Plan, RegistryFacts, Target } from '#targets/target.ts'
import type { Deadlines } from './deadlines.ts'
import type { AppPlace } from './leave-engines.ts'
import type { Joined, Source } from './source.ts'

/** What the whole pipeline needs from the manager. */
export interface PipelineParts extends DeploymentsContext {
  readonly agents: Agents
  readonly logs: DeploymentLogs
  readonly sealer: Sealer
  /** Asks servers on the outside. */
  readonly http: HttpClient
  readonly logger: Logger
  readonly registry: RegistryFacts | undefined
  readonly baseDomain: string
  /** What images of notebooks may be made of. */
  readonly notebooks?: NotebookFacts | undefined
  /** Set by who runs the manager; defaults are in deadlines.ts and with the steps. */
  readonly deadlines: Deadlines
  /** Where repositories may come from. */
  readonly allow: AllowRules
  /** So many of an app's last releases can always be gone back to. */
  readonly keepReleases: number
  /** So many deployments of an app may start within ten minutes without a person; 0: any number. */
  readonly mostUnattended: number
  /** Wakes the queue, after a step requested deployments of its own. */
  readonly wake: () => void
  /** Whether the engine's build cache is to be looked through again, after a deployment; absent: each time. */
  readonly isCacheDue?: (engine: string) => boolean
  /** From 0 to 1, for times that shall not fall together; default Math.random. */
  readonly random?: () => number
}

/** One stage of a deployment. It returns what it produced or throws; it never writes the deployment's state. */
export interface Step {
  readonly name: string
  /** Default; deadlines.ts says what holds. */
  readonly deadlineMs: number
  /** What this app needs on top of the default, for example its own time to become healthy. */
  readonly extraMs?: (context: StepContext) => number
  /** `ignore`: a failure is logged and the deployment goes on (what it was for already runs). Default `fail`. */
  readonly onFailure?: 'fail' | 'ignore'
  /** A step that most plans have nothing for leaves no row when it is not wanted. */
  readonly isWanted?: (context: StepContext) => boolean
  readonly run: (context: StepContext) => Promise<StepOutcome>
  /** Begun again after a restart, it takes no answer from before: what it asks with may have changed. */
  readonly asksAnew?: boolean
  /** Restores the facts of a step that was done before a restart, while there is no plan yet: its commands are answered from the journal. */
  readonly recall?: (context: StepContext) => Promise<unknown>
}

export type StepOutcome =
  /** Go on with the next step. `data` is stored in the step's row. */
  | { readonly kind: 'done'; readonly data?: Readonly<Record<string, unknown>> }
  /** There was nothing to do in this step. */
  | { readonly kind: 'skipped' }
  /** Nobody has agreed to this plan yet: stop here, and begin anew when somebody has. */
  | {
      readonly kind: 'waiting'
      readonly hash: string
      /** How the plan differs from the one that was approved before, in words. */
      readonly changed: readonly string[]
    }
  /** The goal is reached: end here, succeeded. */
  | ({
      readonly kind: 'finished'
      readonly outcome: WithoutEffect | 'deployed'
      readonly evidence: unknown
    } & Confirmation)

/** What a deployment that changed nothing says about the release that it found. */
export interface Confirmation {
  /** The release that runs is also what this commit wants. */
  readonly confirms?: { readonly release: string; readonly commit: string }
  /** Nobody had written down what runs. */
  readonly release?: ReleaseDraft
}

export function done(data?: Readonly<Record<string, unknown>>): StepOutcome {
  return data === undefined ? { kind: 'done' } : { kind: 'done', data }
}

/** What a step works with. Facts that steps find out are kept here for the later ones. */
export interface StepContext {
  readonly parts: PipelineParts
  readonly deployment: Deployment
  readonly app: Selectable<AppTable>
  readonly repository: Selectable<RepositoryTable> | undefined
  readonly signal: AbortSignal
  /** Name of the step at work. */
  readonly step: string
  /** Wall clock, ms: when the step at work is ended. */
  readonly deadlineAt: number
  /** How long a command waits for a worker that is not connected, in ms. */
  readonly workerLimitMs: number
  /** Gives the whole deployment so long, in ms, counted from its start. */
  readonly limitDeployment: (ms: number) => Promise<void>
  readonly say: (text: string) => void
  /** Results of all Tells of this deployment so far, by key: what resultOf refers to. */
  readonly results: Map<string, Readonly<Record<string, unknown>>>
  readonly facts: Facts
}

export interface Facts {
  /** The engine of the host that commands are about; undefined: the host's own. */
  engine?: string | undefined
  /** Where the release before is, when this deployment brings the app to another engine. */
  movesFrom?: string | undefined
  /** Engines that it could not be removed from. */
  leftEngines?: readonly string[]
  /** How long commands of this deployment have waited for an engine that was away. */
  waitedForEngineMs?: number
  /** The app's own limits by name, in ms. */
  deadlines?: Deadlines
  source?: Source
  target?: Target
  settings?: Readonly<Record<string, unknown>>
  /** Paths and patterns of which one must have changed for a push to be for the app. */
  watch?: readonly string[] | undefined
  domains?: readonly string[]
  /** The file of the repository that says where the app is to be found. */
  urlFile?: string | undefined
  /** Equal to that of a release: nothing of the app changed since. */
  fingerprint?: string | undefined
  /** The same of all apps of the repository. */
  urlFiles?: readonly string[]
  /** The commit at hand, as it seems, is one of ours. */
  isReport?: boolean
  /** When its deploy file wants it deployed by itself. */
  schedule?: Schedule | undefined
  /** Encrypted files with secrets of it. */
  secretFiles?: readonly SecretFile[]
  /** Ids of apps of the repository that are going: their files want them no more. */
  leaving?: readonly string[]
  /** Apps of the repository whose images it runs. */
  uses?: readonly string[]
  /** What the message of the pushed commit asks for, where messages may ask. */
  wish?: Wish
  /** What the deploy file asks for. */
  approval?: 'required' | undefined
  /** What the deploy file wants done about drift. */
  onDrift?: 'report' | 'repair'
  /** The release that is brought back, when that is what the deployment is for. */
  goal?: ReleaseGoal
  plan?: Plan
  configHash?: string
  secretRevisions?: SecretRevisions
}

export interface ReleaseDraft {
  readonly commit: string
  readonly commitSubject: string
  /** Commits of other repositories that it has files of. */
  readonly joined: Joined | undefined
  readonly target: string
  readonly settingsSealed: string
  readonly secretRevisions: SecretRevisions
  /** The release that was brought back. */
  readonly origin: string | undefined
  readonly configHash: string
  readonly content: Readonly<Record<string, unknown>>
}

/** How the pipeline ended; deployments/finish.ts writes it down. */
export type PipelineEnd =
  | EndedPipeline
  /** The manager is shutting down: the deployment stays running and is adopted at the next start. */
  | { readonly state: 'left-running' }
  /** Its plan needs a person's agreement. */
  | { readonly state: 'waiting' }

export interface EndedPipeline extends Confirmation {
  readonly state: 'succeeded' | 'failed' | 'cancelled'
  readonly outcome: string
  readonly evidence?: unknown
  readonly error?: FairleadError | undefined
  readonly failedStep?: string | undefined
  /** Domains that the app now has; others are given back. */
  readonly domains?: readonly string[]
  /** Where the proxy of its host listens; undefined: nobody can say. */
  readonly visitors?: VisitorPorts | undefined
  /** What was found out about its notebooks. */
  readonly notebook?: SeenNotebook | undefined
  /** Where the app is now, when it was elsewhere before. */
  readonly place?: AppPlace | undefined
}
