import { type Static, Type } from 'typebox'
import { environmentKeyIn } from '#formats/image-reference.ts'
import {
  type ContainerFacts,
  createContainer,
  inspectContainer,
  removeContainer,
  startContainer,
  stopContainer,
} from '#programs/docker-containers.ts'
import type { RegistryAccess } from '#programs/registry.ts'
import { collectorSpec, waitForContainer } from '#programs/registry-container.ts'
import {
  deleteManifest,
  listRepositories,
  listTags,
  readMaker,
  readManifest,
} from '#programs/registry-contents.ts'
import { handsForCleanUp } from './clean-up.ts'
import { defineCommand, type Hands } from './command.ts'
import { AppName, LABEL } from './container-data.ts'
import { lastLines } from './container-lines.ts'
import { containersOf } from './container-siblings.ts'
import { RegistryData } from './image-data.ts'
import { NOTEBOOK_LABEL } from './notebook-images.ts'
import { localAccess, waitForRegistry } from './registry-alive.ts'
import {
  chooseCollectable,
  isCandidate,
  keyOf,
  type Made,
  type StoredManifest,
  whySpared,
} from './registry-choice.ts'
import { COLLECT_FAILED, REGISTRY_NOT_SERVING } from './registry-errors.ts'
import { registryDeploymentFolder } from './registry-folder.ts'

const strict = { additionalProperties: false } as const
const MOST_TOLD = 500
const START_AGAIN_MS = 120_000
const ANSWER_MS = 60_000

const CollectData = Type.Object(
  {
    app: AppName,
    access: RegistryData,
    /** `repository:tag` and digests that must stay. */
    keep: Type.Array(Type.String({ maxLength: 512 }), { maxItems: 100_000 }),
    /** Names of apps that this manager has or had: what carries another one, or none, is not ours. */
    ours: Type.Array(AppName, { maxItems: 100_000 }),
    youngerThanMs: Type.Integer({ minimum: 0 }),
    /** Only tells what would go. */
    dryRun: Type.Boolean(),
  },
  strict,
)
type CollectData = Static<typeof CollectData>

const Stored = { repository: Type.String(), digest: Type.String(), tags: Type.Array(Type.String()) }

export const CollectResult = Type.Object(
  {
    gone: Type.Array(Type.Object(Stored, strict)),
    kept: Type.Array(Type.Object({ ...Stored, why: Type.String() }, strict)),
    /** Of layers that only they have. */
    bytes: Type.Integer(),
  },
  strict,
)
export type CollectResult = Static<typeof CollectResult>

export const registryCollect = defineCommand({
  name: 'registry.collect',
  summary:
    'Deletes images from the registry of this host that nothing names, and the layers that only they have.',
  role: 'worker',
  data: CollectData,
  result: CollectResult,
  deadlineMs: 1_800_000,
  lock: ({ app }) => `container:${app}`,
  run: collect,
})

/** Nothing may be pushed meanwhile: the caller sees to that, and while layers are deleted the registry is stopped. */
async function collect(hands: Hands, data: CollectData): Promise<CollectResult> {
  const { app, dryRun } = data
  const container = (await containersOf(hands, app)).find(each => each.name === app)
  if (!container) {
    throw REGISTRY_NOT_SERVING(app, 'there is no container of it')
  }
  if (container.state !== 'running') {
    // An earlier attempt was ended in the middle, and what it started goes on without it.
    await hands.perform(removeContainer(hands.host.dockerSocket, collectorOf(app), 'keep'))
    await startAgain(hands, data, container)
  }
  const access = localAccess(data.access)
  const stored = await readAll(hands, access)
  const unnamed = chooseCollectable(stored, data.keep).gone
  const spared = await sparedOf(hands, unnamed, { access, rules: data })
  const { gone, kept, bytes } = chooseCollectable(stored, data.keep, spared)
  if (!dryRun) {
    for (const { repository, digest } of gone) {
      await hands.perform(deleteManifest(access, repository, digest))
    }
    hands.say(`${gone.length} of ${stored.length} images are deleted; now their layers`, 'info')
    await sweep(hands, data, container)
  }
  return {
    gone: gone.slice(0, MOST_TOLD).map(told),
    kept: kept.slice(0, MOST_TOLD).map(({ manifest, why }) => ({ ...told(manifest), why })),
    bytes,
  }
}

interface Sparing {
  readonly access: RegistryAccess
  readonly rules: Pick<CollectData, 'ours' | 'youngerThanMs'>
}

/** Only of what would go is the configuration read: of an index those of its parts. */
async function sparedOf(
  hands: Hands,
  unnamed: readonly StoredManifest[],
  { access, rules }: Sparing,
): Promise<ReadonlyMap<string, string>> {
  const ours = new Set(rules.ours)
  const spared = new Map<string, string>()
  for (const root of unnamed.filter(isCandidate)) {
    const parts = unnamed.filter(
      each => each.repository === root.repository && root.children.includes(each.digest),
    )
    const made: Made[] = []
    for (const { repository, config } of [root, ...parts]) {
      if (config !== undefined) {
        const { labels, at } = await hands.perform(readMaker(access, repository, config))
        const environment = labels[NOTEBOOK_LABEL.environment]
        const isEnvironment = root.tags.some(
          tag => tag === environment && environmentKeyIn(`${repository}:${tag}`) !== undefined,
        )
        made.push({ app: labels[LABEL.app], isEnvironment, at })
      }
    }
    const now = hands.clock.now()
    const why = whySpared(made, { ours, youngerThanMs: rules.youngerThanMs, now })
    if (why !== undefined) {
      spared.set(keyOf(root), why)
    }
  }
  return spared
}

function told({ repository, digest, tags }: StoredManifest) {
  return { repository, digest, tags: [...tags] }
}

async function readAll(hands: Hands, access: RegistryAccess): Promise<StoredManifest[]> {
  const all: StoredManifest[] = []
  for (let last = ''; ; ) {
    const repositories = await hands.perform(listRepositories(access, last))
    for (const repository of repositories) {
      all.push(...(await readRepository(hands, access, repository)))
    }
    last = repositories.at(-1) ?? ''
    if (last === '') {
      return all
    }
  }
}

/** Every manifest with a tag, and what they are made of. */
async function readRepository(
  hands: Hands,
  access: RegistryAccess,
  repository: string,
): Promise<StoredManifest[]> {
  const found = new Map<string, StoredManifest & { readonly tags: string[] }>()
  const waiting: { reference: string; tag?: string }[] = (
    await hands.perform(listTags(access, repository))
  ).map(tag => ({ reference: tag, tag }))
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const known = found.get(next.reference)
    const facts = known ?? (await hands.perform(readManifest(access, repository, next.reference)))
    if (!facts) {
      continue
    }
    const entry = found.get(facts.digest) ?? { ...facts, repository, tags: [] }
    if (!found.has(facts.digest)) {
      found.set(facts.digest, entry)
      waiting.push(...facts.children.map(reference => ({ reference })))
    }
    if (next.tag !== undefined) {
      entry.tags.push(next.tag)
    }
  }
  return [...found.values()]
}

/** A registry that runs while layers are deleted would take a push for which they are then missing. */
async function sweep(hands: Hands, data: CollectData, container: ContainerFacts): Promise<void> {
  const { dockerSocket } = hands.host
  const name = collectorOf(data.app)
  const spec = collectorSpec({
    image: container.imageId,
    labels: { [LABEL.app]: data.app },
    folder: registryDeploymentFolder(hands, data.app, container.labels[LABEL.deployment] ?? ''),
    volume: `${data.app}-data`,
  })
  try {
    await hands.perform(stopContainer(dockerSocket, container.id))
    await hands.perform(removeContainer(dockerSocket, name, 'keep'))
    const made = await hands.perform(createContainer(dockerSocket, name, spec))
    if ('refused' in made) {
      throw COLLECT_FAILED(data.app, made.refused)
    }
    const refusal = await hands.perform(startContainer(dockerSocket, made.id))
    if (refusal) {
      throw COLLECT_FAILED(data.app, refusal.refused)
    }
    const code = await hands.perform(waitForContainer(dockerSocket, made.id))
    if (code !== 0) {
      const lines = await lastLines(hands, made.id)
      throw COLLECT_FAILED(data.app, lines.at(-1) ?? `exit code ${code}`)
    }
  } finally {
    const own = handsForCleanUp(hands, START_AGAIN_MS)
    await own.perform(removeContainer(dockerSocket, name, 'keep'))
    await startAgain(own, data, container)
  }
}

function collectorOf(app: string): string {
  return `${app}-collector`
}

async function startAgain(hands: Hands, data: CollectData, { id }: ContainerFacts): Promise<void> {
  const { dockerSocket } = hands.host
  const refusal = await hands.perform(startContainer(dockerSocket, id))
  if (refusal || !(await hands.perform(inspectContainer(dockerSocket, id)))) {
    throw REGISTRY_NOT_SERVING(data.app, refusal?.refused ?? 'its container is gone')
  }
  const fault = await waitForRegistry(hands, data.access, ANSWER_MS)
  if (fault !== undefined) {
    throw REGISTRY_NOT_SERVING(data.app, fault)
  }
}
