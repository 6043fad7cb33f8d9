import { type Static, Type } from 'typebox'
import { imageName, parseReference } from '#formats/image-reference.ts'
import { type ImageFacts, inspectImage, removeImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { isMadeFrom } from './image-content.ts'
import { PushableReference, RegistryData } from './image-data.ts'
import { IMAGE_NOT_FOUND, IMAGE_PATH_REFUSED } from './image-errors.ts'
import { type FoundManifest, lookForManifest } from './image-manifest.ts'
import { pull } from './image-pull.ts'
import { sendImage } from './image-send.ts'

const strict = { additionalProperties: false } as const

const PushData = Type.Object({ reference: PushableReference, registry: RegistryData }, strict)
type PushData = Static<typeof PushData>

const PushResult = Type.Object(
  {
    digest: Type.String(),
    /** `host/repository@sha256:…` */
    reference: Type.String(),
    /** The registry had it already. */
    skipped: Type.Boolean(),
  },
  strict,
)

export const imagePush = defineCommand({
  name: 'image.push',
  summary: 'Puts a local image into a registry, unless it is there already, and tells its digest.',
  role: 'worker',
  data: PushData,
  result: PushResult,
  deadlineMs: 600_000,
  lock: data => `image:${data.reference}`,
  run: push,
})

async function push(hands: Hands, data: PushData): Promise<Static<typeof PushResult>> {
  const { registry, reference } = data
  const parsed = parseReference(reference)
  if (!parsed?.tag || parsed.host !== registry.address) {
    throw IMAGE_PATH_REFUSED(reference, `it is not a name with a tag in the registry ${registry.address}`)
  }
  const name = imageName(parsed)
  const question = { registry, repository: parsed.repository, reference: parsed.tag }
  const [manifest, local] = await Promise.all([
    lookForManifest(hands, question),
    hands.perform(inspectImage(hands.host.dockerSocket, reference)),
  ])
  const present = await takeFromRegistry(hands, { data, name, manifest, local })
  if (present !== undefined) {
    hands.say(`${reference} is in the registry already (${present})`, 'info')
    return { digest: present, reference: `${name}@${present}`, skipped: true }
  }
  if (!local) {
    throw IMAGE_NOT_FOUND(reference)
  }
  const digest = await sendImage(hands, data, parsed.repository)
  return { digest, reference: `${name}@${digest}`, skipped: false }
}

interface Known {
  readonly data: PushData
  readonly name: string
  readonly manifest: FoundManifest
  readonly local: ImageFacts | undefined
}

/**
 * The digest when the registry has the image. Another host may have pushed its own build of the same content: then that
 * one is fetched, so that what runs here is what the registry has.
 */
async function takeFromRegistry(hands: Hands, known: Known): Promise<string | undefined> {
  const { data, name, manifest, local } = known
  if (manifest.kind !== 'present') {
    return undefined
  }
  const { dockerSocket } = hands.host
  const pinned = `${name}@${manifest.digest}`
  if (local?.digests.includes(pinned)) {
    return manifest.digest
  }
  const pulled = (await pull(hands, pinned, data.registry))
    ? await hands.perform(inspectImage(dockerSocket, pinned))
    : undefined
  if (!pulled || isMadeFrom(pulled, parseReference(data.reference)?.tag)) {
    return pulled && manifest.digest
  }
  // Somebody else gave it this tag: what it has to mean is pushed over it.
  await hands.perform(removeImage(dockerSocket, pinned))
  hands.say(`${pinned} says of itself that it was made from something else: it is replaced`, 'stderr')
  return undefined
}
