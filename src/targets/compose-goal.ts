import type { ComposeContainer } from '#commands/compose-data.ts'
import type { ImageContent } from '#commands/image-content.ts'
import type { FoundImage } from '#commands/image-find.ts'
import { readRelease } from './compose-release.ts'
import { RELEASE_IMAGE_UNKNOWN } from './release-errors.ts'
import { fetchTell, type ReleasedImage, releasedImage } from './released-image.ts'
import type { RegistryFacts, ReleaseFacts, RunImage, Tell } from './target.ts'

/** The images of a release, one for each service that had a container. */
export function imagesOf(release: ReleaseFacts): RunImage[] {
  const { ran, digests = {}, services: hashes = {} } = readRelease(release)
  // Containers of the release before may still have stood by.
  const containers = (Array.isArray(ran) ? (ran as readonly ComposeContainer[]) : []).filter(
    each => each.configHash === hashes[each.service],
  )
  const services = [...new Set(containers.map(each => each.service))].sort()
  return services.flatMap(name => {
    const container = containers.find(each => each.service === name)
    if (!container) {
      return []
    }
    const { image, imageId, digest } = container
    const pin = typeof digests[name] === 'string' ? digests[name] : digest
    return [{ name, reference: image, imageId, ...(pin ? { pinned: pin } : {}) }]
  })
}

/** What to look for, and to fetch, to bring the images of a release back; by service. */
export function releasedImages(
  release: ReleaseFacts,
  registry: RegistryFacts | undefined,
): readonly ReleasedImage[] {
  return imagesOf(release).map(({ name, reference, imageId = '', pinned }) =>
    releasedImage({ key: name, reference, imageId, ...(pinned ? { pinned } : {}) }, registry),
  )
}

/** An image that was built is named by its content, and its name is used by this app alone. */
export function isOwnImage(release: ReleaseFacts, service: string): boolean {
  return readRelease(release).images?.[service] !== undefined
}

/**
 * The images of a release as the plan compares them with what runs. A name that means another image by now (somebody
 * pulled a newer one) is replaced by the digest or the id; the name itself is left alone, other apps may use it.
 */
export function goalImages(
  release: ReleaseFacts,
  answers: readonly FoundImage[],
): ReadonlyMap<string, ImageContent> {
  const entries = imagesOf(release).map(({ name, reference, imageId, pinned }) => {
    const found = answers.find(each => each.key === name)
    const isRenamed = isOwnImage(release, name) && found?.localName === undefined
    const isExact = found?.isNamed || reference.includes('@')
    const runs = isExact || isRenamed ? reference : (found?.localName ?? pinned ?? reference)
    const content: ImageContent = {
      key: name,
      tag: '',
      reference: runs,
      registry: 'none',
      ...(found?.localName && imageId ? { localImageId: imageId } : {}),
    }
    return [name, content] as const
  })
  return new Map(entries)
}

export interface GoalFetch {
  readonly goal: ReleaseFacts
  readonly registry: RegistryFacts | undefined
  readonly answers: readonly FoundImage[]
}

/** Fetches the image of one service; RELEASE_IMAGE_GONE when nobody has it. */
export function goalFetch({ goal, registry, answers }: GoalFetch, service: string): Tell {
  const image = releasedImages(goal, registry).find(each => each.key === service)
  if (!image) {
    throw RELEASE_IMAGE_UNKNOWN(service, goal.commit)
  }
  const found = answers.find(each => each.key === service)
  const name = isOwnImage(goal, service) ? 'rename' : 'leave'
  return fetchTell({ key: `build:${service}`, image, found, name })
}
