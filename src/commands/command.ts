import type { Static, TObject } from 'typebox'
import type { CommandOwner } from '#contract/agent-frames.ts'
import type { Partner, Perform } from '#exec/call.ts'
import type { Clock } from '#lib/clock.ts'
import type { SandboxLimits } from '#policy/container.ts'
import type { PolicyMode } from '#policy/mode.ts'
import type { SystemPlace } from '#programs/incus-system.ts'
import type { Firewall } from './firewall-data.ts'

/** What a command may use: calls, the log, time, and facts of its host. Nothing else reaches the outside. */
export interface Hands {
  /** Of the command. The same when another worker goes on with it. */
  readonly id: string
  readonly perform: Perform
  /**
   * A perform that another signal ends: `perform` refuses every call once the command is cancelled, but what it had
   * begun must still be cleaned up. Use handsForCleanUp (clean-up.ts).
   */
  readonly performUntil?: (signal: AbortSignal) => Perform
  /** One line for the deployment's log (redacted before it leaves the host). */
  readonly say: (text: string, stream?: 'stdout' | 'stderr' | 'info') => void
  readonly signal: AbortSignal
  /**
   * Runs a part of the command when its turn has come, among all commands of this host that name the same key (also as
   * their `lock`): for keys that are known only at work. The signal ends its waiting.
   */
  readonly inTurn?: <T>(
    key: string,
    part: { readonly run: () => Promise<T>; readonly signal: AbortSignal; readonly shares?: boolean },
  ) => Promise<T>
  readonly clock: Clock
  readonly host: HostFacts
  /**
   * When the connection that it was told over was made, in milliseconds of the monotonic clock; undefined: an earlier
   * process of the agent was told.
   */
  readonly arrivedAt?: number | undefined
  /** Of a command that talks: with whoever sits before the manager, while their session lasts. */
  readonly talk?: Partner | undefined
}

/** The agent's own configuration; a manager can read none of it and change none of it. */
export interface HostFacts {
  readonly name: string
  /** Absolute root of the worker's workspace: repositories/, checkouts/, renders/. */
  readonly workspace: string
  /** Of the engine that the command is for: path of its socket, or tcp://host:port. */
  readonly dockerSocket: string
  /** For whom the command is, as the manager says; undefined: for nobody in particular. */
  readonly owner?: CommandOwner | undefined
  /** All engines, the host's own first; absent: there is only that one. */
  readonly engines?: readonly EngineFacts[] | undefined
  /** The engine that the command is for, when it is not the host's own. */
  readonly engine?: EngineFacts
  /** Folder with the docker CLI's config.json (no credentials) and plugins: the CLI's HOME. */
  readonly dockerHome: string
  /** The bridge network that the proxy reaches routed containers on; containers there cannot reach each other. */
  readonly network: { readonly name: string; readonly subnet: string }
  readonly proxy: ProxyFacts | undefined
  readonly policy: HostPolicy
  /** Folder with a folder of Compose files for each stack, as it really is; undefined: this host has no stacks. */
  readonly stacksRoot?: string | undefined
  readonly switchboard: Switchboard
  /** Undefined: this host cannot tell who its visitors are, so no name of it is guarded. */
  readonly gate?: Gate | undefined
  /** Undefined: no system containers on this host. */
  readonly systems?: SystemsFacts | undefined
  /** Of a guardian only. */
  readonly firewall?: Firewall | undefined
}

/** One Docker engine that this host's worker may use. */
export interface EngineFacts {
  readonly name: string
  /** Path of its socket, or tcp://host:port. */
  readonly address: string
  /** Files of this host that it is reached with: its certificates and the key. */
  readonly keys?: readonly string[] | undefined
  /** What apps choose it by. */
  readonly labels: Readonly<Record<string, string>>
  /** Names or patterns of the apps that may use it; absent: all. */
  readonly apps?: readonly string[] | undefined
  /** The same of the repositories that the apps come from, as the manager calls them. */
  readonly repositories?: readonly string[] | undefined
  /** Where ports of its containers are published for this host; absent: nowhere. */
  readonly publish?: PublishFacts | undefined
}

/** The Incus daemon of this host, and where in it system containers are put. */
export interface SystemsFacts extends SystemPlace {
  readonly socket: string
  /** Folder for their backups. */
  readonly backups: string
  /** Address of the server that images called "images:…" come from. */
  readonly imageServer: string
}

export interface PublishFacts {
  /** One or two addresses of its machine. With two a switch needs no change of the proxy. */
  readonly addresses: readonly string[]
  readonly ports: PortRange
}

export interface PortRange {
  readonly from: number
  readonly to: number
}

export interface ProxyFacts {
  readonly adminOrigin: string
  readonly httpPort: number
  readonly httpsPort: number
  /** host:port of the worker's own DNS answerer that Caddy asks for the current upstream. */
  readonly resolver: string
}

/** The worker's own rules (a root-owned file): what it refuses whatever a manager says. */
export interface HostPolicy {
  readonly mode: PolicyMode
  /** Host ports that may be published. */
  readonly ports: { readonly from: number; readonly to: number; readonly never: readonly number[] }
  /** Private addresses (CIDR) that Git remotes may have. */
  readonly allowPrivate: readonly string[]
  /** Registry hosts whose images may run; empty means any. */
  readonly registries: readonly string[]
  /** Stack or Compose project -> volumes and networks that others made and it may have all the same. */
  readonly adopt?: Readonly<Record<string, readonly string[]>> | undefined
  /** The most that a container may have in which people run what they like; absent: what the manager says. */
  readonly limits?: SandboxLimits | undefined
  /** Folder in which the engine looks for the certificates of registries; undefined: no manager may put any there. */
  readonly trust?: string | undefined
}

/**
 * Which address serves a name now: the proxy asks it over DNS, so a switch needs no proxy reload. Durable.
 * A name is `<app>` or `<service>.<app>`; each has two fixed addresses (slots) in the network, so that a new
 * container can stand beside the old one and the proxy's fallback list never changes.
 */
export interface Switchboard {
  /** The two addresses of a name, allocated on first use. */
  slots(name: string): Promise<readonly [string, string]>
  /** The two ports of a name on another engine's machine, allocated on first use. */
  ports(name: string, engine: string, range: PortRange): Promise<readonly [number, number]>
  /** With `holds`, visitors of before stay with what served until now, until it is marked as ending. */
  point(name: string, target: SwitchTarget, holds?: boolean): Promise<void>
  forget(name: string): Promise<void>
  current(name: string): SwitchTarget | undefined
  readonly earlier: EarlierTargets
}

/** What served a name before, and is there still for those who came then. */
export interface EarlierTarget {
  readonly ip: string
  readonly deployment: string
  /** When another began to serve, in milliseconds since 1970. */
  readonly since: number
  /** held: its deployment is at work. kept: people work with it. ending: nobody is led to it any more. */
  readonly state: 'held' | 'kept' | 'ending'
}

export interface EarlierTargets {
  /** To which visitors are led, the one that was replaced first before the others. */
  of(name: string): readonly EarlierTarget[]
  all(): readonly (EarlierTarget & { readonly name: string })[]
  /** undefined: it is gone. One that is kept has an address besides the name's two. */
  mark(name: string, deployment: string, state: EarlierTarget['state'] | undefined): Promise<void>
}

export interface SwitchTarget {
  /** One of the name's two addresses. */
  readonly ip: string
  readonly deployment: string
  /** Where the proxy finds it, when it is on another engine; `of` is the port of the container. */
  readonly at?: { readonly ip: string; readonly port: number; readonly of: number } | undefined
}

/** Asked by the proxy whether a visitor may pass to a guarded name. Durable. */
export interface Gate {
  /** host:port */
  readonly address: string
  /** From now on whoever brings the ticket is let in, once. `ticket` is its sha256 in hex. */
  admit(
    name: string,
    admission: { readonly ticket: string; readonly visitor: string; readonly until: number },
  ): void
  /** Ends all visits of a name. */
  forget(name: string): void
  /** Ends all visits of these persons, and nothing of theirs lets anybody in any more. */
  expel(visitors: readonly string[]): void
  /** When a request was let through to it last, in milliseconds since 1970; undefined: not since this worker was started. */
  visitedAt(name: string): number | undefined
  readonly sleeps: Sleeps
}

/** Whose containers were stopped because nobody worked with them: a visitor wakes them. Durable. */
export interface Sleeps {
  /** The deployment whose container sleeps. */
  of(app: string): string | undefined
  begin(app: string, deployment: string): void
  end(app: string): void
}

/** One thing a manager may tell an agent: typed, journalled, never a script. */
export interface Command<D extends TObject = TObject, R extends TObject = TObject> {
  /** `<group>.<verb>` */
  readonly name: string
  readonly summary: string
  readonly role: 'worker' | 'guardian'
  /** It changes nothing outside the workspace's caches: doing it twice is the same as doing it once. */
  readonly looksOnly?: true
  /** It touches no engine, or only takes away what its app has there: whom an engine serves does not matter to it. */
  readonly engineFree?: true
  /** While it runs somebody talks with it (hands.talk); it ends when they are gone. */
  readonly talks?: true
  readonly data: D
  readonly result: R
  /** Used when the manager names no deadline. */
  readonly deadlineMs: number
  /** Commands with the same key run one after another on a host. */
  readonly lock?: (data: Static<D>) => string
  /** Texts on the host that must not leave it with this command; asked for before anything of it is shown. */
  readonly hides?: (hands: Hands, data: Static<D>) => Promise<readonly string[]>
  readonly run: (hands: Hands, data: Static<D>) => Promise<Static<R>>
}

export function defineCommand<D extends TObject, R extends TObject>(command: Command<D, R>): Command<D, R> {
  return command
}
