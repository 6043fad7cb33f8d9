import type { WireError } from '#lib/errors.ts'
import type { DeploymentKind, DeploymentState, StepTable } from '#manager/store/tables.ts'
import type { WantedArtifact } from '#targets/artifact.ts'
import type { DriftedParts } from '#targets/drifted-parts.ts'

/** What asked for a deployment. */
export interface Trigger {
  readonly kind:
    | 'api'
    | 'ci'
    | 'webhook'
    | 'poll'
    | 'rollback'
    | 'registration'
    | 'drift'
    | 'signed'
    | 'schedule'
    | 'image'
    | 'files'
  /** Token name, hook id, scheme of a signature … */
  readonly by: string
  readonly detail?: string
}

/** Says "look", not "deploy this": the branch may have moved, nobody decided anything. */
export function isHint({ kind }: Trigger): boolean {
  return kind === 'webhook' || kind === 'poll' || kind === 'schedule'
}

/** Nothing of the app runs after it. */
export function endsAll({ kind }: Pick<Deployment, 'kind'>): boolean {
  return kind === 'remove' || kind === 'stop'
}

/** Somebody decided it. A token that a person stored somewhere cannot be told from the person. */
export function isByPerson({ kind }: Trigger): boolean {
  return kind === 'api' || kind === 'rollback'
}

/** A program asks for exactly this. It may be part of a circle, so it is obeyed, but nobody has looked. */
export function isByProgram({ kind }: Trigger): boolean {
  return kind === 'ci' || kind === 'signed'
}

/** What a person wants is done, whatever would be a reason not to follow the push that wanted it first. */
export function takenOver(
  queued: { readonly trigger: string },
  { trigger }: Pick<DeployRequest, 'trigger'>,
): { readonly trigger?: string } {
  const before = JSON.parse(queued.trigger) as Trigger
  const isTaken = isHint(before) ? !isHint(trigger) : isByProgram(before) && isByPerson(trigger)
  return isTaken ? { trigger: JSON.stringify(trigger) } : {}
}

export interface DeployRequest {
  readonly appId: string
  readonly kind: DeploymentKind
  readonly trigger: Trigger
  /** Exact commit; default the tip of the branch at checkout. */
  readonly commit?: string | undefined
  readonly release?: string | undefined
  /** The release is the one before the one that runs, and is looked up again when the deployment begins. */
  readonly previous?: boolean | undefined
  /** The artefact to make, of an app that makes one. */
  readonly artifact?: WantedArtifact | undefined
}

/** One attempt to bring an app to a commit, as read from the store. */
export interface Deployment {
  readonly id: string
  readonly appId: string
  readonly app: string
  readonly kind: DeploymentKind
  readonly state: DeploymentState
  readonly outcome: string | undefined
  readonly trigger: Trigger
  readonly wantedCommit: string | undefined
  readonly wantedRelease: string | undefined
  readonly wantedArtifact: WantedArtifact | undefined
  /** What asked to look at the branch meanwhile: done when this one has ended. */
  readonly thenTrigger: Trigger | undefined
  readonly commit: string | undefined
  readonly commitSubject: string | undefined
  /** What was changed by hand and is made anew; undefined before its plan was made. */
  readonly drifted: DriftedParts | undefined
  readonly plan: unknown
  readonly planHash: string | undefined
  /** A person's agreement to the plan with this hash; undefined while nobody agreed to what it would do now. */
  readonly approved: Approval | undefined
  /** Since when it waits for that. */
  readonly waitingSince: number | undefined
  /** How long it waited before. */
  readonly waitedMs: number
  readonly evidence: unknown
  readonly error: WireError | undefined
  readonly failedStep: string | undefined
  readonly releaseId: string | undefined
  readonly cancelRequested: boolean
  readonly createdAt: number
  readonly startedAt: number | undefined
  readonly deadlineAt: number | undefined
  readonly finishedAt: number | undefined
}

/** What a list shows of it: without what takes much to read. */
export type ListedDeployment = Omit<Deployment, 'drifted' | 'plan' | 'evidence'>

export interface Approval {
  readonly hash: string
  /** Name of the token. */
  readonly by: string
  readonly at: number
}

export interface StepRecord {
  readonly name: string
  readonly state: StepTable['state']
  readonly startedAt: number
  readonly deadlineAt: number
  readonly finishedAt: number | undefined
  readonly outcome: unknown
  readonly error: WireError | undefined
}
