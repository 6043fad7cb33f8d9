import { imageName, parseReference } from '#formats/image-reference.ts'
import type { Artifact } from './artifact.ts'
import type { ReleaseFacts, RunImage } from './target.ts'

/** What a release of this target holds; places that take it from results while it is planned. */
export interface ImageRelease {
  readonly service_name: string
  readonly version: string
  /** The content tag: equal content has an equal one. */
  readonly tree: string
  /** `name:version`, on the host. */
  readonly image: string
  readonly imageId: unknown
  /** Digests by reference. */
  readonly references: unknown
  readonly bytes?: unknown
}

/** What an earlier release holds, as far as it holds it: it may be of another target. */
export function readImageRelease(release: Pick<ReleaseFacts, 'content'> | undefined): Partial<ImageRelease> {
  const content = release?.content ?? {}
  return typeof content.tree === 'string' && typeof content.service_name === 'string'
    ? (content as Partial<ImageRelease>)
    : {}
}

export function digestsOf(release: Pick<ReleaseFacts, 'content'>): Readonly<Record<string, string>> {
  const { references } = readImageRelease(release)
  return typeof references === 'object' && references !== null ? (references as Record<string, string>) : {}
}

export function artifactOf(release: Pick<ReleaseFacts, 'content'>): Artifact | undefined {
  const { service_name: serviceName, version, image, imageId, bytes } = readImageRelease(release)
  if (serviceName === undefined || version === undefined || image === undefined) {
    return undefined
  }
  return {
    serviceName,
    version,
    image,
    imageId: typeof imageId === 'string' ? imageId : undefined,
    references: digestsOf(release),
    bytes: typeof bytes === 'number' ? bytes : undefined,
  }
}

/** Under every name that it was pushed as, or the one that it has on the host. */
export function artifactImages(release: ReleaseFacts): RunImage[] {
  const artifact = artifactOf(release)
  if (!artifact) {
    return []
  }
  const { serviceName: name, image, imageId, references } = artifact
  const id = imageId === undefined ? {} : { imageId }
  const pushed = Object.entries(references).map(([reference, digest]) => {
    const parsed = parseReference(reference)
    return { name, reference, pinned: `${parsed ? imageName(parsed) : reference}@${digest}`, ...id }
  })
  return pushed.length > 0 ? pushed : [{ name, reference: image, ...id }]
}
