import { type Static, Type } from 'typebox'
import { asFairleadError } from '#lib/errors.ts'
import { type ImageEntry, listImages, pruneBuildCache, removeImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { AppName, ImageName, LABEL } from './container-data.ts'
import { isMadeName } from './made-name.ts'

const strict = { additionalProperties: false } as const
/** So old an image without a tag must be: somebody may be about to give it one. */
const YOUNG_MS = 3_600_000

const PruneData = Type.Object(
  {
    app: AppName,
    /** Images that stay whatever their age. */
    keep: Type.Array(ImageName, { maxItems: 10_000 }),
    /** So many of the newest stay too, for rolling back. */
    keepLast: Type.Integer({ minimum: 0, maximum: 100 }),
    /** Only these may go: what a deployment made that failed. Default: every image of the app. */
    only: Type.Optional(Type.Array(ImageName, { maxItems: 100 })),
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

const PruneResult = Type.Object(
  { removed: Type.Array(Type.String()), freedCacheBytes: Type.Integer() },
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
  const images = await hands.perform(listImages(dockerSocket, [`${LABEL.app}=${data.app}`]))
  const newestFirst = images.toSorted((a, b) => b.createdAt - a.createdAt)
  const kept = new Set([...data.keep, ...newestFirst.slice(0, data.keepLast).map(image => image.id)])
  const removed: string[] = []
  for (const image of newestFirst) {
    if ([image.id, ...image.tags, ...image.digests].some(name => kept.has(name))) {
      continue
    }
    // One that a container uses is refused by the engine and stays.
    for (const name of namesToTake(image, data, hands.clock.now())) {
      if (await hands.perform(removeImage(dockerSocket, name))) {
        removed.push(name)
      }
    }
  }
  if (removed.length > 0) {
    hands.say(`old images removed: ${removed.join(', ')}`, 'info')
  }
  return { removed, freedCacheBytes: await pruneCache(hands, data) }
}

/**
 * The label alone proves nothing: whoever builds FROM an image of ours inherits it. So only names go that nobody but a
 * deployment gives; without any name an image goes by its id.
 */
function namesToTake(
  { id, tags, createdAt }: ImageEntry,
  { only }: PruneData,
  now: number,
): readonly string[] {
  if (only) {
    return [...tags, id].filter(each => only.includes(each))
  }
  if (tags.length > 0) {
    return tags.filter(isMadeName)
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
