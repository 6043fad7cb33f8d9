import type { Claims } from './claims.ts'
import type { FollowedTags } from './followed-tags.ts'
import type { ReleaseFacts, RunImage } from './target.ts'

/** What a later deployment needs to bring this release back, and to say what it changes. No secret value, nor a hash of one. */
export interface StackRelease {
  readonly stack: string
  /** Of the stack as deployed, with its images; or a place that takes it from the result. */
  readonly stackRender: unknown
  /** Service -> what the engine was told, under a key of the host; or a place that takes it from the result. */
  readonly fingerprints: unknown
  /** Service -> image that its tasks run; or a place that takes it from the result. */
  readonly images: unknown
  /** Service -> label that it carries. */
  readonly services: Readonly<Record<string, string>>
  /** In words. */
  readonly ports: readonly string[]
  /** `8080/tcp` */
  readonly published: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Absent: no tag is looked at again. */
  readonly followed?: FollowedTags
}

/** What an earlier release holds, as far as it holds it: it may be of another target. */
export function readStackRelease(release: ReleaseFacts | undefined): Partial<StackRelease> {
  const content = (release?.content ?? {}) as Partial<StackRelease>
  return typeof content.stackRender === 'string' ? content : {}
}

/** The render of an earlier release of the same stack. */
export function releasedStack(release: ReleaseFacts | undefined, stack: string): string | undefined {
  const { stackRender, stack: before } = readStackRelease(release)
  return typeof stackRender === 'string' && before === stack ? stackRender : undefined
}

export function claimsOf(content: Readonly<Record<string, unknown>>): Claims {
  const { published, ports, services = {} } = content as Partial<StackRelease>
  return {
    // Releases from before that list have the words alone.
    ports: published ?? ports?.flatMap(words => /^port (\d+\/\w+) of /.exec(words)?.slice(1) ?? []),
    services: Object.keys(services),
  }
}

export function textsIn(value: unknown): Readonly<Record<string, string>> {
  return (value ?? {}) as Readonly<Record<string, string>>
}

export function stackImagesOf(release: ReleaseFacts): RunImage[] {
  return Object.entries(textsIn(readStackRelease(release).images)).map(([name, image]) => ({
    name,
    reference: image,
    ...(image.includes('@') ? { pinned: image } : {}),
    ...(image.startsWith('sha256:') ? { imageId: image } : {}),
  }))
}
