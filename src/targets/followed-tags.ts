import { Type } from 'typebox'
import { parseReference } from '#formats/image-reference.ts'
import { readDuration } from '#lib/duration.ts'
import type { Followed } from './followed.ts'

export const FollowImages = Type.Optional(
  Type.String({
    pattern: '^[1-9][0-9]{0,6}(s|m|h)$',
    description:
      'How often registries are asked whether the tag of a service that is not built means another image, such as 5m (10s at least): then the commit that runs is deployed with it. Default: never.',
  }),
)

/** Tags that are looked at again and again, as a release keeps them. */
export interface FollowedTags {
  readonly everyMs: number
  /** By service. */
  readonly tags: Readonly<Record<string, string>>
}

interface TaggedService {
  readonly name: string
  readonly rendered: { readonly build?: unknown; readonly image?: string }
  /** It is built here, or another app of the repository makes it. */
  readonly image?: unknown
  readonly made?: unknown
}

/** Which tags the settings want followed: of images that come from a registry, built ones do not move. */
export function followedTags(
  settings: { readonly follow_images?: string },
  services: readonly TaggedService[],
): FollowedTags | undefined {
  const everyMs = readDuration(settings.follow_images ?? '')
  if (everyMs === undefined) {
    return undefined
  }
  const tags = services.flatMap(({ name, rendered, image, made }) => {
    const reference = rendered.build || image || made ? undefined : rendered.image
    const parsed = reference === undefined ? undefined : parseReference(reference)
    return reference === undefined || !parsed || parsed.digest ? [] : [[name, reference] as const]
  })
  return { everyMs, tags: Object.fromEntries(tags) }
}

/** What a release follows, with the image that each tag meant when it was deployed. */
export function followedWith(followed: FollowedTags | undefined, pinned: unknown): Followed | undefined {
  if (!followed) {
    return undefined
  }
  const pins = (pinned ?? {}) as Readonly<Record<string, string | undefined>>
  return {
    everyMs: followed.everyMs,
    images: Object.entries(followed.tags).flatMap(([name, reference]) => {
      const pin = pins[name]
      // One without a registry has an id of its host at most.
      return pin === undefined || !pin.includes('@') ? [] : [{ name, reference, pinned: pin }]
    }),
  }
}
