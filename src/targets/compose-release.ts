import type { ComposeWants } from './compose-wants.ts'
import type { FollowedTags } from './followed-tags.ts'
import type { ReleaseFacts } from './target.ts'

/** What a later deployment needs to bring this release back, and to say what it changes. No secret value, nor a hash of one. */
export interface ComposeRelease {
  readonly project: string
  /** Of the configuration as deployed; or a place that takes it from the result. */
  readonly render: unknown
  /** Images of built services, by service. */
  readonly images: Readonly<Record<string, string>>
  /** Images of other services by digest, as they were resolved; or a place that takes them from the result. */
  readonly pinned: unknown
  /** The containers that ran it, with the image of each; or a place that takes them from the result. */
  readonly ran: unknown
  /** `host/repository@sha256:…` of built images, by service; or places that take them from the push. */
  readonly digests: Readonly<Record<string, unknown>>
  /** Label of each service's containers. */
  readonly services: Readonly<Record<string, string>>
  /** Names of the routes. */
  readonly routes: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Absent: no tag is looked at again. */
  readonly followed?: FollowedTags
}

/** What an earlier release holds, as far as it holds it: it may be of another target. */
export function readRelease(previous: Pick<ReleaseFacts, 'content'> | undefined): Partial<ComposeRelease> {
  return (previous?.content ?? {}) as Partial<ComposeRelease>
}

/** The render of an earlier release of the same project. */
export function releasedRender(previous: ReleaseFacts | undefined, project: string): string | undefined {
  const { render, project: before } = readRelease(previous)
  return typeof render === 'string' && before === project ? render : undefined
}

/** Environment by name: `$NAME` for a secret, `plain` for the rest. */
export function shownEnvironment({
  writtenEnvironment,
}: Pick<ComposeWants, 'writtenEnvironment'>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(writtenEnvironment).map(([name, value]) => [
      name,
      /^\$[A-Za-z_]/.test(value) ? value : 'plain',
    ]),
  )
}
