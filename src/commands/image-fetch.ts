import { type Static, Type } from 'typebox'
import { inspectImage, tagImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { ImageName } from './container-data.ts'
import { RegistryData } from './image-data.ts'
import { IMAGE_GONE } from './image-errors.ts'
import { pull } from './image-pull.ts'

const strict = { additionalProperties: false } as const

const FetchData = Type.Object(
  {
    /** `host/repository@sha256:…` */
    pinned: ImageName,
    registry: RegistryData,
    /** A name that shall mean it; only for names that nobody but this app uses. */
    reference: Type.Optional(ImageName),
  },
  strict,
)
type FetchData = Static<typeof FetchData>

const FetchResult = Type.Object({ imageId: Type.String(), fetched: Type.Boolean() }, strict)

export const imageFetch = defineCommand({
  name: 'image.fetch',
  summary: 'Brings an image of an earlier release back from its registry, by digest.',
  role: 'worker',
  data: FetchData,
  result: FetchResult,
  deadlineMs: 30 * 60_000,
  lock: data => `image:${data.reference ?? data.pinned}`,
  run: fetchImage,
})

async function fetchImage(hands: Hands, data: FetchData): Promise<Static<typeof FetchResult>> {
  const { pinned, registry, reference } = data
  const { dockerSocket } = hands.host
  const present = await hands.perform(inspectImage(dockerSocket, pinned))
  if (!present && !(await pull(hands, pinned, registry))) {
    throw IMAGE_GONE(pinned, registry.address)
  }
  if (reference !== undefined) {
    await hands.perform(tagImage(dockerSocket, pinned, reference))
  }
  const image = present ?? (await hands.perform(inspectImage(dockerSocket, pinned)))
  if (!image) {
    throw IMAGE_GONE(pinned, registry.address)
  }
  return { imageId: image.id, fetched: present === undefined }
}
