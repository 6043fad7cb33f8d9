import { type Static, Type } from 'typebox'
import { imageName, isReservedTag, parseReference } from '#formats/image-reference.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { type ImageFacts, inspectImage, removeImage, tagImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { AppName, ImageName, LABEL } from './container-data.ts'
import { IMAGE_NOT_FOUND, IMAGE_PATH_REFUSED } from './image-errors.ts'
import { LOCAL_NAME_TAKEN, PUSH_INCOMPLETE, TAG_RESERVED, VERSION_EXISTS } from './image-publish-errors.ts'
import { askPublished, PublishedName } from './image-published.ts'
import { sendImage } from './image-send.ts'

const strict = { additionalProperties: false } as const

const Target = Type.Object(
  {
    ...PublishedName,
    /** It may mean another image from now on. */
    mayMove: Type.Boolean(),
  },
  strict,
)
type Target = Static<typeof Target>

const PublishData = Type.Object(
  {
    app: AppName,
    /** What the image is called on this host now. */
    image: ImageName,
    /** What it shall be called here: `name:version`. */
    name: ImageName,
    /** Its content tag (image.content): a registry that has the same content is left alone. */
    tree: Type.String({ minLength: 1, maxLength: 128 }),
    references: Type.Array(Target, { maxItems: 32 }),
  },
  strict,
)
type PublishData = Static<typeof PublishData>

const PublishResult = Type.Object(
  {
    imageId: Type.String(),
    /** By reference. */
    digests: Type.Record(Type.String(), Type.String()),
    /** References that did not have it before. */
    pushed: Type.Array(Type.String()),
  },
  strict,
)

export const imagePublish = defineCommand({
  name: 'image.publish',
  summary: 'Gives an image the names of a version and puts it into every registry that lacks it.',
  role: 'worker',
  data: PublishData,
  result: PublishResult,
  deadlineMs: 600_000,
  lock: data => `image:${data.image}`,
  run: publish,
})

async function publish(hands: Hands, data: PublishData): Promise<Static<typeof PublishResult>> {
  const { dockerSocket } = hands.host
  for (const reference of [data.name, ...data.references.map(each => each.reference)]) {
    if (isReservedTag(parseReference(reference)?.tag ?? '')) {
      throw TAG_RESERVED(reference)
    }
  }
  const [image, named] = await Promise.all([
    hands.perform(inspectImage(dockerSocket, data.image)),
    hands.perform(inspectImage(dockerSocket, data.name)),
  ])
  if (!image) {
    throw IMAGE_NOT_FOUND(data.image)
  }
  // The name is short, so it may be one that other workloads of this host mean something else by.
  if (named && named.id !== image.id && named.labels[LABEL.app] !== data.app) {
    throw LOCAL_NAME_TAKEN(data.name)
  }
  // What may move leads to a version, so it waits until that is there.
  const fixed = await publishAll(hands, image, {
    ...data,
    references: data.references.filter(each => !each.mayMove),
  })
  const isComplete = fixed.every(each => 'digest' in each)
  const moving = data.references.filter(each => each.mayMove)
  const rest = isComplete
    ? await publishAll(hands, image, { ...data, references: moving })
    : moving.map(({ reference }) => ({ reference, left: true as const }))
  hands.signal.throwIfAborted()
  const ends = [...fixed, ...rest]
  refuseIncomplete(data.name, ends)
  const published = data.references.flatMap(({ reference }) =>
    ends.flatMap(end => ('digest' in end && end.reference === reference ? [end] : [])),
  )
  await hands.perform(tagImage(dockerSocket, data.image, data.name))
  return {
    imageId: image.id,
    digests: Object.fromEntries(published.map(({ reference, digest }) => [reference, digest])),
    pushed: published.flatMap(({ reference, isNew }) => (isNew ? [reference] : [])),
  }
}

interface Published {
  readonly reference: string
  readonly digest: string
  readonly isNew: boolean
}

type End =
  | Published
  | { readonly reference: string; readonly error: FairleadError }
  /** Not tried. */
  | { readonly reference: string; readonly left: true }

/** To all at once. */
async function publishAll(hands: Hands, image: ImageFacts, data: PublishData): Promise<readonly End[]> {
  return await Promise.all(
    data.references.map(target =>
      publishOne(hands, { image, target, data }).catch(error => ({
        reference: target.reference,
        error: asFairleadError(error),
      })),
    ),
  )
}

interface Wish {
  readonly image: ImageFacts
  readonly target: Target
  readonly data: PublishData
}

async function publishOne(hands: Hands, { image, target, data }: Wish): Promise<Published> {
  const { reference, registry, mayMove } = target
  const parsed = parseReference(reference)
  if (!parsed?.tag || parsed.host !== registry.address) {
    throw IMAGE_PATH_REFUSED(reference, `it is not a name with a tag in the registry ${registry.address}`)
  }
  // Asked once more: another host may have pushed it since the plan was made.
  const found = await askPublished(hands, target)
  if (found.kind === 'present') {
    const isSame = found.tree === data.tree || image.digests.includes(`${imageName(parsed)}@${found.digest}`)
    if (isSame) {
      hands.say(`${reference} has this content already (${found.digest})`, 'info')
      return { reference, digest: found.digest, isNew: false }
    }
    if (!mayMove) {
      throw VERSION_EXISTS(reference, found.digest)
    }
  }
  const { dockerSocket } = hands.host
  await hands.perform(tagImage(dockerSocket, data.image, reference))
  try {
    const digest = await sendImage(hands, { reference, registry }, parsed.repository)
    hands.say(`${reference} is pushed (${digest})`, 'info')
    return { reference, digest, isNew: true }
  } catch (error) {
    hands.signal.throwIfAborted()
    await hands.perform(removeImage(dockerSocket, reference))
    throw error
  }
}

/** Says of every reference whether it has the version, unless there is only one. */
function refuseIncomplete(name: string, ends: readonly End[]): void {
  const failed = ends.flatMap(end => ('error' in end ? [end] : []))
  const [first] = failed
  if (!first) {
    return
  }
  if (ends.length === 1) {
    throw first.error
  }
  const has = ends.flatMap(end => ('digest' in end ? [end.reference] : []))
  const left = ends.flatMap(end => ('left' in end ? [end.reference] : []))
  const lacks = [
    ...failed.map(({ reference, error }) => `${reference} (${error.code}: ${error.message})`),
    ...left.map(reference => `${reference} (left as it was)`),
  ]
  const codes = failed.map(({ reference, error }) => [reference, error.code] as const)
  throw PUSH_INCOMPLETE(name, has, lacks).with({ facts: { has, left, failed: Object.fromEntries(codes) } })
}
