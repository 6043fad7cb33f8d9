import type { Static, TObject } from 'typebox'
import type { Command } from '#commands/command.ts'
import type { Opening } from '#firewall/opening.ts'
import type { SandboxLimits } from '#policy/container.ts'
import type { HostRules } from '#policy/rule-context.ts'
import type { Artifact, WantedArtifact } from './artifact.ts'
import type { Claims } from './claims.ts'
import type { DriftedParts } from './drifted-parts.ts'
import type { Followed } from './followed.ts'
import type { Knows } from './knows.ts'
import type { NotebookFacts } from './notebook-facts.ts'
import type { Publishing } from './publication.ts'

/** What a plan tells the worker: one command with its data, under a key by which later data can name its result. */
export interface Tell {
  readonly key: string
  readonly command: string
  /** Of the host, where it is not the one of the deployment. */
  readonly engine?: string
  /** Values may be `resultOf(key, field)`: filled in when that Tell has its result. */
  readonly data: Readonly<Record<string, unknown>>
}

/** A place in a Tell's data that takes a field of an earlier Tell's result. */
export interface ResultOf {
  readonly $result: string
  readonly field: string
  /** Key in the field, when that is a record. */
  readonly entry?: string
}

export function resultOf(key: string, field: string, entry?: string): ResultOf {
  return { $result: key, field, ...(entry === undefined ? {} : { entry }) }
}

export function tell<D extends TObject>(key: string, command: Command<D>, data: Fillable<Static<D>>): Tell {
  return { key, command: command.name, data: data as Readonly<Record<string, unknown>> }
}

type Fillable<T> = T extends object ? { [K in keyof T]: Fillable<T[K]> | ResultOf } : T | ResultOf

/** One line of the diff a person checks. Never a secret value: environment changes name keys only. */
export interface Change {
  readonly kind:
    | 'add'
    | 'recreate'
    /** Made anew beside the old one, which goes when the new one serves. */
    | 'replace'
    | 'remove'
    | 'untouched'
    | 'build'
    | 'push'
    /** Another image than the one that runs. */
    | 'image'
    | 'open'
    | 'close'
    | 'route'
    | 'environment'
    | 'delete-volume'
  readonly what: string
  /** What it was and what it becomes, where that can be said shortly. */
  readonly from?: string
  readonly to?: string
  readonly why?: string
}

/** The exact commands of a deployment, in the order of the pipeline's steps, and what they change. Pure data. */
export interface Plan extends Publishing {
  readonly build: readonly Tell[]
  readonly push: readonly Tell[]
  /** Told instead of all that follows, where the images alone are asked for: gives them their names on the host. */
  readonly named?: readonly Tell[]
  /** Told when the release stands: what is said of its images beside them. A failure of it is no failure of the release. */
  readonly attest?: readonly Tell[]
  readonly apply: readonly Tell[]
  readonly verify: readonly Tell[]
  readonly route: readonly Tell[]
  /** Told once the release serves, while what it replaced still stands by. */
  readonly watch: readonly Tell[]
  readonly prune: readonly Tell[]
  /** Told when a step from apply on fails or is cancelled: brings the previous release back, leaves nothing behind. */
  readonly undo: readonly Tell[]
  /** What a later deployment needs to bring this release back (rendered configuration, image digests); may hold resultOf. */
  readonly release: Readonly<Record<string, unknown>>
  readonly changes: readonly Change[]
  /** Ports of the host that its guardian opens, and whether some of before are closed; absent: there are none. */
  readonly opens?: readonly Opening[]
  readonly closes?: boolean
  /** true: what runs is already what is wanted; apply would change nothing. */
  readonly nothingToDo: boolean
  /** Why this commit is not for the app: nothing is done, and the release before stays the one that counts. */
  readonly unaffected?: string
}

/** How one kind of app runs: its settings, what it asks before it decides, and the decision itself. All pure. */
export interface Target<S extends TObject = TObject> {
  readonly name: string
  readonly summary: string
  readonly settings: S
  /** Who may act on its apps; absent: whoever has the role for it where the app belongs. */
  readonly keepers?: 'admins'
  /** Settings for a checkout without a deploy file; undefined: it sees nothing of its own there. A named Compose file is all there is. */
  readonly detect: (source: SourceFacts, composePath?: string) => Static<S> | undefined
  /** Repository paths whose text the plan needs (SourceFacts.texts). */
  readonly reads: (settings: Static<S>) => readonly string[]
  /** Hosts that the app wants, or parts of them (`host/path/`), each once: checked against other apps' before anything is done. */
  readonly domains: (settings: Static<S>, app: AppFacts, notebooks?: NotebookFacts) => readonly string[]
  /** Ports of the host that are to be reached from outside; absent: the target asks for none. */
  readonly opens?: (settings: Static<S>) => readonly Opening[]
  /** The settings with what they took from files of the checkout filled in: a release keeps these, and needs no source. */
  readonly settle: (settings: Static<S>, source: SourceFacts) => Static<S>
  /** The settings without what was wanted once, when its deployment did not do it. Absent: all of it stays wanted. */
  readonly withdraw?: (settings: Static<S>, released: Readonly<Record<string, unknown>>) => Static<S>
  /** What to ask the worker before planning; results arrive in `found` by key. Called again until it asks nothing new. */
  readonly look: (input: LookInput<Static<S>>) => readonly Tell[]
  readonly plan: (input: PlanInput<Static<S>>) => Plan
  readonly images: (release: ReleaseFacts) => readonly RunImage[]
  /** The tags of a release that are looked at again and again; absent: the target has none. */
  readonly follows?: (release: ReleaseFacts) => Followed | undefined
  /** What a release made for others to fetch; absent: the target only runs things. */
  readonly artifact?: (release: Pick<ReleaseFacts, 'content'>) => Artifact | undefined
  /** The command that shows what an app prints; default: `<target>.logs`, when there is one. */
  readonly logs?: string
  /** The command that tells what an app uses of processor and memory; absent: nobody can tell. */
  readonly usage?: string
  /** Whether a tag that is pushed asks for a deployment as a push to the branch does. */
  readonly usesTags?: (settings: Static<S>) => boolean
  /** Absent: nobody else is ever in its way. */
  readonly claims?: (release: Pick<ReleaseFacts, 'content'>) => Claims
  /**
   * Ends what runs of an app for as long as its people want, with its routes; volumes, images and all that its release is
   * brought back from stay. Absent: there is nothing to stop, or it is stopped in another way.
   */
  readonly stop?: (app: AppFacts, release: Pick<ReleaseFacts, 'content'>) => readonly Tell[]
  /** What to tell the worker so that nothing of the app is left (routes, containers, networks; volumes only when asked). */
  readonly remove: (input: {
    readonly app: AppFacts
    readonly volumes: 'keep' | 'delete'
    readonly knows?: Knows | undefined
    /** The app has moved to another engine: only what is on this one goes, and routes and files stay. */
    readonly moved?: true
  }) => readonly Tell[]
}

/** Keeps a target's own types inside its file and gives the registry one type for all. */
export function defineTarget<S extends TObject>(target: Target<S>): Target {
  return target as unknown as Target
}

/** What every target looks from: all that is known before the worker is asked. */
export interface LookInput<S> {
  readonly app: AppFacts
  readonly settings: S
  readonly deployment: string
  readonly source: SourceFacts
  /** Results so far of the Tells that look() asked for, by key; look() is called until it asks for nothing new. */
  readonly found: Readonly<Record<string, unknown>>
  readonly registry: RegistryFacts | undefined
  readonly notebooks?: NotebookFacts | undefined
  /** Values for `$NAME` references and build secrets; revealed only inside Tell data. */
  readonly secrets: Readonly<Record<string, string>>
  /** Present for a redeploy of what ran before. */
  readonly previous: ReleaseFacts | undefined
  /** A release to bring back instead of what the source says: settings and secrets are its own, the source has no files. */
  readonly goal?: ReleaseFacts | undefined
  /** Brings the goal's commit into the workspace, for a host that lost what it kept of the release. */
  readonly checkout?: Tell | undefined
  /** Images by digest that tags mean by now, by service: they are made anew with these. */
  readonly moved?: Readonly<Record<string, string>> | undefined
  /** What the images mean that other apps of the repository made, by their names with tags: digests or ids. */
  readonly made?: Readonly<Record<string, string>> | undefined
  /** What somebody changed by hand: it is made anew although it was made from what is wanted. */
  readonly drifted?: DriftedParts | undefined
  /** A person has stopped it: it is made anew, with what is in its volumes, and stopped again when that fails. */
  readonly isStopped?: boolean | undefined
  /** A stop of it came to no end, and nothing since: what is left of it comes back by no restart of the engine. */
  readonly isHalfStopped?: boolean | undefined
  /** What whoever asked for the deployment wants to get. */
  readonly wanted?: WantedArtifact | undefined
  /** By which the worker judges files, as it says itself; absent: it does not say. */
  readonly rules?: TargetRules | undefined
  /** Whether the worker knows a command; absent: nobody can say. */
  readonly knows?: Knows | undefined
  /** Asks for the tags of the commit, under the key `tags`. */
  readonly tags?: Tell | undefined
  /** Releases that can be gone back to, newest first: nothing that they need is ever removed. */
  readonly kept?: readonly ReleaseFacts[]
}

/** What a worker tells of its policy. */
export interface TargetRules extends HostRules {
  readonly limits?: SandboxLimits | undefined
}

/** The same, with the worker's answers complete. */
export type PlanInput<S> = LookInput<S>

export interface AppFacts {
  readonly id?: string
  /** Unique; `[a-z0-9-]`, at most 40 characters: names of containers, projects and hosts are made from it. */
  readonly name: string
  /** Apps without a domain of their own get `<app>.<baseDomain>`. */
  readonly baseDomain: string
}

export interface SourceFacts {
  readonly commit: string
  /** The commit whose files are meant, where those of other repositories are among them. */
  readonly checkout?: string | undefined
  readonly branch: string
  /** Address of the repository, without an account. */
  readonly origin?: string
  /** Key of the repository in the worker's workspace. */
  readonly repository: string
  /** Files of the tree that the worker read for us (deploy file, compose files), by path. */
  readonly texts: Readonly<Record<string, string>>
  /** All paths in the tree, at most 5,000. */
  readonly paths: readonly string[]
}

/** What commands of a worker call the files of a source. */
export function filesOf({ repository, commit, checkout }: SourceFacts) {
  return { repository, commit: checkout ?? commit }
}

export interface RegistryFacts {
  readonly address: string
  readonly username: string
  readonly password: string
  readonly ca?: string
}

export interface RunImage {
  /** The service that runs it, or the app's own name. */
  readonly name: string
  readonly reference: string
  /** `host/repository@sha256:…`, when a registry has it. */
  readonly pinned?: string
  readonly imageId?: string
}

export interface ReleaseFacts {
  readonly id: string
  readonly commit: string
  readonly configHash: string
  /** Plan.release of that deployment, filled in with the results. */
  readonly content: Readonly<Record<string, unknown>>
}
