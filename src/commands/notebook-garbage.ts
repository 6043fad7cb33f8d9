import { environmentKeyIn, isEnvironmentRepository } from '#formats/image-reference.ts'
import { LABEL } from './container-data.ts'
import { NOTEBOOK_LABEL } from './notebook-images.ts'

type Labels = Readonly<Record<string, string>>

export interface LabelledImage {
  readonly id: string
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  readonly labels: Labels
}

interface LabelledContainer {
  readonly imageId: string
  readonly labels: Labels
}

/**
 * Whether an image is an environment and nothing else. The label alone proves nothing: whatever is built FROM one
 * inherits it. So all of its names must be those of environments; one without any name must not be an app's.
 */
export function isEnvironment({ tags, digests, labels }: LabelledImage): boolean {
  const key = environmentOf({ labels })
  if (key === undefined) {
    return false
  }
  return tags.length > 0
    ? tags.every(tag => environmentKeyIn(tag) === key)
    : labels[LABEL.app] === undefined && digests.every(isEnvironmentRepository)
}

/** Key of the environment that an image is, or that an image or container was made from. */
export function environmentOf({ labels }: { readonly labels: Labels }): string | undefined {
  return labels[NOTEBOOK_LABEL.environment]
}

/** Environments that containers, in whatever state, and images that stay were made from. Pure. */
export function neededEnvironments(
  containers: readonly LabelledContainer[],
  images: readonly LabelledImage[],
): ReadonlySet<string> {
  const users = [...containers, ...images.filter(each => !isEnvironment(each))]
  return new Set(users.flatMap(each => environmentOf(each) ?? []))
}
