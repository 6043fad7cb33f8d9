import { type Static, Type } from 'typebox'
import { asFairleadError } from '#lib/errors.ts'
import { listEveryContainer } from '#programs/container-list.ts'
import { type ImageEntry, listImages, pruneBuildCache, removeImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { AppName, ImageName, LABEL } from './container-data.ts'
import { isMadeName } from './made-name.ts'
import { environmentOf, isEnvironment, neededEnvironments } from './notebook-garbage.ts'
import { NOTEBOOK_LABEL } from './notebook-images.ts'

const strict = { additionalProperties: false } as const
/** Newest first: of those that have long stayed, most stay because others need them. */
const MOST_CANDIDATES = 500
/** So old an image without a tag must be, and an environment: somebody may be about to name or to use it. */
const YOUNG_MS = 3_600_000

const PruneData = Type.Object(
  {
    app: AppName,
    /** Images that stay whatever their age; environments by their keys too. */
    keep: Type.Array(ImageName, { maxItems: 10_000 }),
    /** So many of the newest stay too, for rolling back. */
    keepLast: Type.Integer({ minimum: 0, maximum: 100 }),
    /** Only these may go: what a deployment made that failed. Default: every image of the app. */
    only: Type.Optional(Type.Array(ImageName, { maxItems: 1_000 })),
    /** Names of people's kind that deployments of the app gave, and nothing lists any more: they may go as well. */
    given: Type.Optional(Type.Array(ImageName, { maxItems: 10_000 })),
    /** Environments of notebooks too that nothing on this host needs, whichever project they were made for. */
    environments: Type.Optional(Type.Boolean()),
    /** No image goes: the answer names those that would, so that the manager can say which of them others need. */
    propose: Type.Optional(Type.Boolean()),
    /** Build cache that stays: what was used in the last hours, at most so many bytes. Absent: the cache is left alone. */
    buildCache: Type.Optional(
      Type.Object(
        { hours: Type.Integer({ minimum: 1, maximum: 8_760 }), bytes: Type.Integer({ minimum: 0 }) },
        strict,
      ),
    ),
  },
  strict,
)
type PruneData = Static<typeof PruneData>

const Candidate = Type.Object(
  {
    /** What would be removed. */
    take: Type.Array(Type.String()),
    /** Everything that the image is called: its id, names and digests. */
    known: Type.Array(Type.String()),
  },
  strict,
)

const PruneResult = Type.Object(
  {
    removed: Type.Array(Type.String()),
    freedCacheBytes: Type.Integer(),
    /** Of a proposal. */
    candidates: Type.Optional(Type.Array(Candidate)),
  },
  strict,
)

export const imagePrune = defineCommand({
  name: 'image.prune',
  summary: 'Deletes images of an app that no release needs any more, and old build cache.',
  role: 'worker',
  engineFree: true,
  data: PruneData,
  result: PruneResult,
  deadlineMs: 300_000,
  lock: () => 'image.prune',
  run: prune,
})

async function prune(hands: Hands, data: PruneData): Promise<Static<typeof PruneResult>> {
  const { dockerSocket } = hands.host
  const [images, environments] = await Promise.all([
    hands.perform(listImages(dockerSocket, [`${LABEL.app}=${data.app}`])),
    data.environments === true ? unneededEnvironments(hands, data) : [],
  ])
  const chosen = [...chooseImages(images, data, hands.clock.now()), ...environments]
  if (data.propose === true) {
    const candidates = chosen.slice(0, MOST_CANDIDATES).map(candidateOf)
    return { removed: [], freedCacheBytes: await pruneCache(hands, data), candidates }
  }
  const removed: string[] = []
  for (const name of chosen.flatMap(({ take }) => take)) {
    // One that a container uses is refused by the engine and stays.
    if (await hands.perform(removeImage(dockerSocket, name))) {
      removed.push(name)
    }
  }
  if (removed.length > 0) {
    hands.say(`old images removed: ${removed.join(', ')}`, 'info')
  }
  return { removed, freedCacheBytes: await pruneCache(hands, data) }
}

interface Chosen {
  readonly image: ImageEntry
  readonly take: readonly string[]
}

/** Newest first. */
function chooseImages(images: readonly ImageEntry[], data: PruneData, now: number): readonly Chosen[] {
  const newestFirst = images.toSorted((a, b) => b.createdAt - a.createdAt)
  const kept = new Set([...data.keep, ...newestFirst.slice(0, data.keepLast).map(image => image.id)])
  return newestFirst
    .filter(image => ![image.id, ...image.tags, ...image.digests].some(name => kept.has(name)))
    .map(image => ({ image, take: namesToTake(image, data, now) }))
    .filter(({ take }) => take.length > 0)
}

/** Another project's image may be made of one; what projects of other hosts and kept releases need the manager knows. */
async function unneededEnvironments(hands: Hands, data: PruneData): Promise<readonly Chosen[]> {
  const { dockerSocket } = hands.host
  const [images, containers] = await Promise.all([
    hands.perform(listImages(dockerSocket, [NOTEBOOK_LABEL.environment])),
    hands.perform(listEveryContainer(dockerSocket)),
  ])
  const others = images.filter(({ labels }) => labels[LABEL.app] !== data.app)
  const needed = neededEnvironments(containers, others)
  const kept = new Set(data.keep)
  const now = hands.clock.now()
  return others
    .filter(image => isEnvironment(image) && now - image.createdAt * 1_000 >= YOUNG_MS)
    .filter(image => !needed.has(environmentOf(image) ?? ''))
    .filter(image => !namesOf(image).some(name => kept.has(name)))
    .map(image => ({ image, take: image.tags.length > 0 ? image.tags : [image.id] }))
    .map(({ image, take }) => ({ image, take: take.filter(name => data.only?.includes(name) ?? true) }))
    .filter(({ take }) => take.length > 0)
}

function candidateOf({ image, take }: Chosen): Static<typeof Candidate> {
  return { take: [...take], known: [...new Set(namesOf(image))] }
}

/** Everything that an image is called, by whomever. */
function namesOf(image: ImageEntry): readonly string[] {
  const { id, tags, digests } = image
  const bare = digests.map(each => each.slice(each.indexOf('@') + 1))
  const key = isEnvironment(image) ? environmentOf(image) : undefined
  return [id, ...tags, ...digests, ...bare, ...(key === undefined ? [] : [key])]
}

/**
 * The label alone proves nothing: whoever builds FROM an image of ours inherits it. So only names go that nobody but a
 * deployment gives, or that one gave; without any name an image goes by its id.
 */
function namesToTake(
  { id, tags, createdAt }: ImageEntry,
  { only, given }: PruneData,
  now: number,
): readonly string[] {
  if (only) {
    return [...tags, id].filter(each => only.includes(each))
  }
  if (tags.length > 0) {
    return tags.filter(tag => isMadeName(tag) || given?.includes(tag))
  }
  return now - createdAt * 1_000 < YOUNG_MS ? [] : [id]
}

/** The engine prunes one at a time for everybody: being refused because another prune runs is no failure of a deployment. */
async function pruneCache(hands: Hands, data: PruneData): Promise<number> {
  if (!data.buildCache) {
    return 0
  }
  try {
    const { freedBytes } = await hands.perform(pruneBuildCache(hands.host.dockerSocket, data.buildCache))
    return freedBytes
  } catch (error) {
    hands.signal.throwIfAborted()
    hands.say(`the build cache was not pruned: ${asFairleadError(error).message}`, 'info')
    return 0
  }
}
