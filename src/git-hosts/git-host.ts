import type { Reporting } from './report.ts'

/** A delivery as it came over the wire. Header names are in lower case; each of a host's headers stands at most once. */
export interface RawDelivery {
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
  /** ms since 1970. */
  readonly receivedAt: number
}

/** The repository that a delivery is about, in the words of its host. */
export interface Origin {
  /** Stays the same when the repository is renamed. */
  readonly remoteId?: string | undefined
  /** Owner and name, as they stand in the address of the repository. */
  readonly remotePath?: string | undefined
  /** Whether only its members may read it; undefined when the delivery does not say. */
  readonly isPrivate?: boolean | undefined
}

/** What a delivery says. Only a hint: the tip of the branch is read before anything is done. */
export type HostEvent = { readonly origin: Origin } & (
  | {
      /** Branches moved; undefined when the sender does not say which. */
      readonly kind: 'push'
      readonly branches: readonly string[] | undefined
    }
  /** Nothing for us, and why in one word. */
  | {
      readonly kind: 'ignored'
      readonly reason: string
      /** A tag was pushed or deleted: apps whose version it may be look again. */
      readonly isTag?: true
    }
)

/** How one Git host signs and words its deliveries. Pure: no I/O, no clock. */
export interface GitHost {
  readonly name: string
  readonly title: string
  readonly summary: string
  /** What people do there, given address and secret of the webhook. */
  readonly setup: readonly string[]
  /** Public servers of this kind, by host name. */
  readonly sites?: readonly string[]
  /** Lower case names of the headers that it sends; one of them twice is refused before anything else is read. */
  readonly headers: {
    readonly signature: string
    /** Constant over redeliveries. Without one, equal bodies within half a minute count as one delivery. */
    readonly delivery?: string
    /** Older versions do not send it. */
    readonly deliveryIsNew?: true
    readonly event?: string
    readonly timestamp?: string
  }
  /** A new secret of the form that the host accepts; default: the bytes in base64url. */
  readonly secretOf?: (random: Buffer) => string
  /** Whether a secret that the host itself made can be one; default: any text. */
  readonly isSecret?: (text: string) => boolean
  /** Whether one of the secrets vouches for the delivery. Takes the same time whichever it is. */
  readonly verify: (delivery: RawDelivery, secrets: readonly string[]) => boolean
  /** Whether it is a test that the host sends without a signature; it is answered and changes nothing. */
  readonly isUnsignedTest?: (delivery: RawDelivery) => boolean
  /** How it is told what becomes of a commit; without it, it cannot be. */
  readonly reporting?: Reporting
  /** The event in a verified, parsed body; throws a FairleadError with status 422 if the body is not shaped like one. */
  readonly read: (delivery: RawDelivery, body: unknown) => HostEvent
}

export function defineGitHost(host: GitHost): GitHost {
  return host
}

export function pushed(branches: readonly string[] | undefined, origin: Origin): HostEvent {
  return { kind: 'push', branches, origin }
}

export function ignored(reason: string, origin: Origin): HostEvent {
  return { kind: 'ignored', reason, origin }
}

/** What moved is a tag, or nothing that we know. */
export function notBranch(ref: string, origin: Origin): HostEvent {
  const event = { kind: 'ignored', reason: 'not-a-branch', origin } as const
  return ref.startsWith('refs/tags/') ? { ...event, isTag: true } : event
}

/** The branch of a full ref, or undefined for anything that is not refs/heads/. */
export function branchOf(ref: string): string | undefined {
  return ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined
}

/** What Git hosts send as "no commit" when a branch is made or deleted. */
export function isNoCommit(commit: string): boolean {
  return /^0+$/.test(commit)
}
