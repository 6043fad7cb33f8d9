import { imageFetch } from '#commands/image.ts'
import type { RegistryData } from '#commands/image-data.ts'
import type { FoundImage } from '#commands/image-find.ts'
import { parseReference } from '#formats/image-reference.ts'
import { RELEASE_IMAGE_GONE } from './release-errors.ts'
import { type RegistryFacts, type RunImage, type Tell, tell } from './target.ts'

/** One image of an earlier release, as image.find and image.fetch want it. */
export interface ReleasedImage {
  readonly key: string
  readonly reference: string
  readonly imageId: string
  readonly pinned?: string
  readonly registry?: RegistryData
}

/** With the credential where the registry is ours; any other is asked without one, as the engine would. */
export function releasedImage(
  image: Omit<ReleasedImage, 'registry'>,
  registry: RegistryFacts | undefined,
): ReleasedImage {
  const host = parseReference(image.pinned ?? '')?.host
  if (host === undefined) {
    return image
  }
  return {
    ...image,
    registry: host === registry?.address ? registry : { address: host, username: '', password: '' },
  }
}

/** Every name that these images have on an engine. */
export function namesOfImages(images: readonly RunImage[]): string[] {
  return images.flatMap(({ reference, pinned, imageId }) => [
    reference,
    ...(pinned ? [pinned] : []),
    ...(imageId ? [imageId] : []),
  ])
}

export interface Fetch {
  readonly key: string
  readonly image: ReleasedImage
  readonly found: FoundImage | undefined
  /** rename: its reference is used by this app alone, and shall mean this image again. */
  readonly name: 'rename' | 'leave'
}

/** Fetches by digest. What nobody has cannot be brought back (RELEASE_IMAGE_GONE): a build would make something else of it. */
export function fetchTell({ key, image, found, name }: Fetch): Tell {
  const { pinned, registry, reference } = image
  if (!pinned || !registry) {
    throw RELEASE_IMAGE_GONE(reference, 'it was only on this host, and it was deleted there')
  }
  if (found?.registry === 'missing') {
    throw RELEASE_IMAGE_GONE(pinned, `it is not on this host, and ${registry.address} does not have it`)
  }
  return tell(key, imageFetch, { pinned, registry, ...(name === 'rename' ? { reference } : {}) })
}
