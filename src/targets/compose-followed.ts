import { parseReference } from '#formats/image-reference.ts'
import { readDuration } from '#lib/duration.ts'
import type { ServiceState } from './compose-found.ts'
import { readRelease } from './compose-release.ts'
import type { ComposeSettings } from './compose-settings.ts'
import type { Followed } from './followed.ts'
import type { ReleaseFacts } from './target.ts'

/** Tags that are looked at again and again, as a release keeps them. */
export interface FollowedTags {
  readonly everyMs: number
  /** By service. */
  readonly tags: Readonly<Record<string, string>>
}

/** Which tags the settings want followed: of images that come from a registry, built ones do not move. */
export function followedTags(
  settings: ComposeSettings,
  services: readonly Pick<ServiceState, 'name' | 'rendered' | 'image'>[],
): FollowedTags | undefined {
  const everyMs = readDuration(settings.follow_images ?? '')
  if (everyMs === undefined) {
    return undefined
  }
  const tags = services.flatMap(({ name, rendered, image }) => {
    const reference = rendered.build || image ? undefined : rendered.image
    const parsed = reference === undefined ? undefined : parseReference(reference)
    return reference === undefined || !parsed || parsed.digest ? [] : [[name, reference] as const]
  })
  return { everyMs, tags: Object.fromEntries(tags) }
}

/** What a release follows, with the image that each tag meant when it was deployed. */
export function followedOf(release: ReleaseFacts): Followed | undefined {
  const { followed, pinned } = readRelease(release)
  if (!followed) {
    return undefined
  }
  const pins = (pinned ?? {}) as Readonly<Record<string, string | undefined>>
  return {
    everyMs: followed.everyMs,
    images: Object.entries(followed.tags).flatMap(([name, reference]) => {
      const pin = pins[name]
      return pin === undefined ? [] : [{ name, reference, pinned: pin }]
    }),
  }
}
