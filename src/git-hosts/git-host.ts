/** A delivery as it came over the wire. Header names are in lower case; each of `GitHost.headers` stands at most once. */
export interface RawDelivery {
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

/** What a delivery says. Only a hint: the tip of the branch is read before anything is done. */
export type HostEvent =
  /** A branch moved; `branch` is undefined when the sender does not say which. */
  | { readonly kind: 'push'; readonly branch: string | undefined; readonly remoteId: string | undefined }
  /** Nothing for us, and why in one word. */
  | { readonly kind: 'ignored'; readonly reason: string; readonly remoteId: string | undefined }

/** How one Git host signs and words its deliveries. Pure: no I/O, no clock. */
export interface GitHost {
  readonly name: string
  readonly summary: string
  /** Lower case names of the headers that it sends; one of them twice is refused before anything else is read. */
  readonly headers: {
    readonly signature: string
    /** Constant over redeliveries. Without one, equal bodies within half a minute count as one delivery. */
    readonly delivery?: string
    readonly event?: string
  }
  /** Whether the raw bytes are signed with one of the secrets. Takes the same time whichever it is. */
  readonly verify: (delivery: RawDelivery, secrets: readonly string[]) => boolean
  /** The event in a verified, parsed body; throws a FairleadError with status 422 if the body is not shaped like one. */
  readonly read: (delivery: RawDelivery, body: unknown) => HostEvent
}

export function defineGitHost(host: GitHost): GitHost {
  return host
}

/** The branch of a full ref, or undefined for anything that is not refs/heads/. */
export function branchOf(ref: string): string | undefined {
  return ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined
}

/** What Git hosts send as "no commit" when a branch is made or deleted. */
export function isNoCommit(commit: string): boolean {
  return /^0+$/.test(commit)
}
