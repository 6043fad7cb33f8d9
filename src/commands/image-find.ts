import { type Static, Type } from 'typebox'
import { parseReference } from '#formats/image-reference.ts'
import { inspectImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { ImageName } from './container-data.ts'
import { RegistryData } from './image-data.ts'
import { lookForManifest } from './image-manifest.ts'

const strict = { additionalProperties: false } as const

const ReleasedImage = Type.Object(
  {
    /** Names the image in the result. */
    key: Type.String({ minLength: 1, maxLength: 128 }),
    /** The name that it ran under. */
    reference: ImageName,
    /** Which image it was, whatever the name means today. */
    imageId: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }),
    /** `host/repository@sha256:…` */
    pinned: Type.Optional(ImageName),
    /** Where it can be fetched from; absent for one that was never in a registry that we know. */
    registry: Type.Optional(RegistryData),
  },
  strict,
)
type ReleasedImage = Static<typeof ReleasedImage>

export const FoundImage = Type.Object(
  {
    key: Type.String(),
    reference: Type.String(),
    /** A name that means exactly this image on this host: its digest, its reference or its id. Absent: it is not here. */
    localName: Type.Optional(Type.String()),
    /** The reference means this image on this host. */
    isNamed: Type.Boolean(),
    /** Whether the registry has this digest; none: there is nowhere to ask; unknown: it did not answer. */
    registry: Type.Union([
      Type.Literal('none'),
      Type.Literal('present'),
      Type.Literal('missing'),
      Type.Literal('unknown'),
    ]),
  },
  strict,
)
export type FoundImage = Static<typeof FoundImage>

export const imageFind = defineCommand({
  name: 'image.find',
  summary: 'Tells whether the images of an earlier release are on this host or can be fetched by digest.',
  role: 'worker',
  data: Type.Object({ images: Type.Array(ReleasedImage, { minItems: 1, maxItems: 1000 }) }, strict),
  result: Type.Object({ images: Type.Array(FoundImage) }, strict),
  deadlineMs: 60_000,
  async run(hands, { images }) {
    return { images: await Promise.all(images.map(image => find(hands, image))) }
  },
})

async function find(hands: Hands, image: ReleasedImage): Promise<FoundImage> {
  const { key, reference, imageId, pinned } = image
  const { dockerSocket } = hands.host
  const [byName, byId] = await Promise.all([
    hands.perform(inspectImage(dockerSocket, reference)),
    hands.perform(inspectImage(dockerSocket, imageId)),
  ])
  const isNamed = byName?.id === imageId
  if (!byId) {
    return { key, reference, isNamed: false, registry: await askRegistry(hands, image) }
  }
  const byDigest = pinned !== undefined && byId.digests.includes(pinned) ? pinned : undefined
  // It is here: the registry need not even answer.
  return {
    key,
    reference,
    localName: byDigest ?? (isNamed ? reference : imageId),
    isNamed,
    registry: 'none',
  }
}

async function askRegistry(
  hands: Hands,
  { pinned, registry }: ReleasedImage,
): Promise<FoundImage['registry']> {
  const parsed = pinned === undefined ? undefined : parseReference(pinned)
  if (!parsed?.digest || !registry) {
    return 'none'
  }
  const { repository, digest } = parsed
  return (await lookForManifest(hands, { registry, repository, reference: digest })).kind
}
