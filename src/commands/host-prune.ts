import { type Static, Type } from 'typebox'
import { type DiskUsage, diskUsage, type UsedImage } from '#programs/disk-usage.ts'
import { removeContainer } from '#programs/docker-containers.ts'
import { pruneBuildCache, removeImage } from '#programs/docker-images.ts'
import { defineCommand, type EngineFacts, type Hands } from './command.ts'
import { AppName, ImageName } from './container-data.ts'
import { enginesOf, servesApp, servesSome } from './engine.ts'
import { onEveryEngine } from './host-engines.ts'
import { choosePrunable, type PruneChoice } from './prune-choice.ts'

const strict = { additionalProperties: false } as const
/** What is told of must fit into one frame. */
const MOST_TOLD = 500
const HOUR_MS = 3_600_000

const PruneData = Type.Object(
  {
    ours: Type.Array(AppName, { maxItems: 100_000 }),
    present: Type.Array(AppName, { maxItems: 100_000 }),
    keep: Type.Array(ImageName, { maxItems: 100_000 }),
    /** Names of people's kind that deployments gave, and nothing lists any more. */
    given: Type.Optional(Type.Array(ImageName, { maxItems: 10_000 })),
    allUnused: Type.Boolean(),
    youngerThanMs: Type.Integer({ minimum: 0 }),
    buildCache: Type.Object(
      { hours: Type.Integer({ minimum: 1, maximum: 8_760 }), bytes: Type.Integer({ minimum: 0 }) },
      strict,
    ),
    /** Only tells what would go. */
    dryRun: Type.Boolean(),
  },
  strict,
)
type PruneData = Static<typeof PruneData>

const PrunedImage = Type.Object(
  { names: Type.Array(Type.String()), id: Type.String(), bytes: Type.Integer(), own_bytes: Type.Integer() },
  strict,
)
const Measured = Type.Object({ layer_bytes: Type.Integer(), build_cache_bytes: Type.Integer() }, strict)

const EnginePruned = Type.Object(
  {
    engine: Type.String(),
    images: Type.Array(PrunedImage),
    containers: Type.Array(Type.String()),
    kept: Type.Array(Type.Object({ name: Type.String(), why: Type.String() }, strict)),
    /** Of a dry run: build cache that nobody used for so long. */
    stale_cache_bytes: Type.Integer(),
    /** By the engine's own account; after: null for a dry run. */
    before: Measured,
    after: Type.Union([Measured, Type.Null()]),
  },
  strict,
)
type EnginePruned = Static<typeof EnginePruned>

/** Why nothing was done on an engine. */
const EngineLeft = Type.Object({ engine: Type.String(), problem: Type.String() }, strict)

export const HostPruned = Type.Object(
  { engines: Type.Array(EnginePruned), problems: Type.Array(EngineLeft) },
  strict,
)
export type HostPruned = Static<typeof HostPruned>

export const hostPrune = defineCommand({
  name: 'host.prune',
  summary:
    'Deletes images and stopped containers of apps that nothing needs, and old build cache; never volumes.',
  role: 'worker',
  engineFree: true,
  data: PruneData,
  result: HostPruned,
  deadlineMs: 900_000,
  lock: () => 'image.prune',
  run: prune,
})

/** Every engine by what it holds itself. One that does not answer loses nothing, and holds up no other. */
async function prune(hands: Hands, data: PruneData): Promise<HostPruned> {
  const done = await onEveryEngine(hands, (on, engine) => pruneOn(on, engine, data))
  const [first] = done
  if (first?.problem && done.every(({ problem }) => problem)) {
    throw first.problem
  }
  return {
    engines: done.flatMap(each => each.done ?? []),
    problems: done.flatMap(({ engine, problem }) =>
      problem ? [{ engine: engine.name, problem: problem.message }] : [],
    ),
  }
}

async function pruneOn(hands: Hands, engine: EngineFacts, wish: PruneData): Promise<EnginePruned> {
  const { dockerSocket } = hands.host
  const data = onlyFor(engine, wish)
  const most = Math.ceil(MOST_TOLD / enginesOf(hands.host).length)
  const usage = await hands.perform(diskUsage(dockerSocket))
  const rules = { ...data, environments: !servesSome(engine) }
  const choice = choosePrunable(usage, rules, hands.clock.now())
  const gone = data.dryRun ? choice.images : await remove(hands, choice)
  if (!data.dryRun) {
    await hands.perform(pruneBuildCache(dockerSocket, data.buildCache))
  }
  const staleBefore = hands.clock.now() - data.buildCache.hours * HOUR_MS
  const stayed = choice.images.filter(each => !gone.includes(each))
  return {
    engine: engine.name,
    images: gone.slice(0, most).map(told),
    containers: choice.containers.map(each => each.name),
    kept: [
      ...stayed.map(image => ({ name: nameOf(image), why: 'the engine says that something needs it' })),
      ...choice.kept.map(({ image, why }) => ({ name: nameOf(image), why })),
    ].slice(0, most),
    stale_cache_bytes: usage.buildCache
      .filter(each => !each.isInUse && each.lastUsedAt < staleBefore)
      .reduce((sum, { bytes }) => sum + bytes, 0),
    before: measured(usage),
    after: data.dryRun ? null : measured(await hands.perform(diskUsage(dockerSocket))),
  }
}

/** What only some apps may use, somebody else has things on: those of other apps, and of nobody, are not ours to take. */
function onlyFor(engine: EngineFacts, data: PruneData): PruneData {
  return servesSome(engine)
    ? { ...data, ours: data.ours.filter(app => servesApp(engine, app)), allUnused: false }
    : data
}

/** Containers first: an image goes only when nothing was made from it. Gives the images that went. */
async function remove(hands: Hands, { containers, images }: PruneChoice): Promise<UsedImage[]> {
  const { dockerSocket } = hands.host
  for (const { id, name } of containers) {
    await hands.perform(removeContainer(dockerSocket, id, 'keep'))
    hands.say(`container ${name} removed: its app is gone`, 'info')
  }
  const gone: UsedImage[] = []
  for (const image of images) {
    const names = image.tags.length > 0 ? image.tags : [image.id]
    const removed: boolean[] = []
    for (const name of names) {
      removed.push(await hands.perform(removeImage(dockerSocket, name)))
    }
    if (removed.every(Boolean)) {
      gone.push(image)
    }
  }
  return gone
}

function told(image: UsedImage): Static<typeof PrunedImage> {
  const names = image.tags.length > 0 ? image.tags : image.digests
  return { names: [...names], id: image.id, bytes: image.bytes, own_bytes: image.bytes - image.sharedBytes }
}

function nameOf({ tags, digests, id }: UsedImage): string {
  return tags[0] ?? digests[0] ?? id
}

function measured({ layerBytes, buildCacheBytes }: DiskUsage): Static<typeof Measured> {
  return { layer_bytes: layerBytes, build_cache_bytes: buildCacheBytes }
}
