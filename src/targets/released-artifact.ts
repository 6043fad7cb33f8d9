import { imageName, parseReference } from '#formats/image-reference.ts'
import { digestsOf, readImageRelease } from './image-release.ts'
import type { ImageWants } from './image-wants.ts'
import { RELEASE_IMAGE_UNKNOWN } from './release-errors.ts'
import type { ReleasedImage } from './released-image.ts'
import type { ReleaseFacts } from './target.ts'

/** The image of an earlier release, with the first of its registries that it can be fetched from. */
export function releasedArtifact(wants: ImageWants, goal: ReleaseFacts): ReleasedImage {
  const { image, imageId } = readImageRelease(goal)
  if (image === undefined || typeof imageId !== 'string') {
    throw RELEASE_IMAGE_UNKNOWN(wants.serviceName, goal.commit)
  }
  const digests = digestsOf(goal)
  const [target] = wants.targets.filter(({ reference }) => digests[reference] !== undefined)
  const parsed = target && parseReference(target.reference)
  return {
    key: wants.serviceName,
    reference: image,
    imageId,
    ...(target && parsed
      ? { pinned: `${imageName(parsed)}@${digests[target.reference]}`, registry: target.registry }
      : {}),
  }
}
