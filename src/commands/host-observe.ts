import { type Static, Type } from 'typebox'
import { type ContainerFacts, inspectContainer, listContainers } from '#programs/docker-containers.ts'
import { type ImageFacts, inspectImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { serviceOf } from './compose-observe.ts'
import { LABEL } from './container-data.ts'

const strict = { additionalProperties: false } as const

/** What is told of must fit into one frame. */
const MOST = 1_000
/** The engine answers in parallel, but not without end. */
const AT_ONCE = 16

export const SeenContainer = Type.Object(
  {
    app: Type.String(),
    /** Of a Compose project; empty for a container app. */
    service: Type.String(),
    id: Type.String(),
    name: Type.String(),
    state: Type.String(),
    health: Type.Enum(['none', 'starting', 'healthy', 'unhealthy']),
    exitCode: Type.Integer(),
    restarts: Type.Integer(),
    startedAt: Type.String(),
    image: Type.String(),
    imageId: Type.String(),
    digest: Type.Optional(Type.String()),
    configHash: Type.String(),
    /** Ports of the host. */
    ports: Type.Array(Type.String()),
  },
  strict,
)
export type SeenContainer = Static<typeof SeenContainer>

export const hostObserve = defineCommand({
  name: 'host.observe',
  summary: 'Tells of every container of every app on this host how it is, in one answer.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object({}, strict),
  result: Type.Object({ containers: Type.Array(SeenContainer, { maxItems: MOST }) }, strict),
  deadlineMs: 60_000,
  async run(hands) {
    const { dockerSocket } = hands.host
    const ids = (await hands.perform(listContainers(dockerSocket, [LABEL.app]))).slice(0, MOST)
    const facts = (await inTurns(ids, id => hands.perform(inspectContainer(dockerSocket, id)))).flatMap(
      each => each ?? [],
    )
    const digests = await digestsOf(hands, facts)
    return { containers: facts.map(each => seen(each, digests.get(each.imageId))) }
  },
})

async function digestsOf(hands: Hands, facts: readonly ContainerFacts[]): Promise<Map<string, string>> {
  const ids = [...new Set(facts.map(each => each.imageId))]
  const images = await inTurns(ids, id => hands.perform(inspectImage(hands.host.dockerSocket, id)))
  return new Map(images.flatMap((image: ImageFacts | undefined, at) => pairOf(ids[at], image?.digests[0])))
}

function pairOf(id: string | undefined, digest: string | undefined): [string, string][] {
  return id === undefined || digest === undefined ? [] : [[id, digest]]
}

function seen(facts: ContainerFacts, digest: string | undefined): SeenContainer {
  return {
    app: facts.labels[LABEL.app] ?? '',
    service: serviceOf(facts),
    id: facts.id,
    name: facts.name,
    state: facts.state,
    health: facts.health,
    exitCode: facts.exitCode,
    restarts: facts.restarts,
    startedAt: facts.startedAt,
    image: facts.image,
    imageId: facts.imageId,
    ...(digest ? { digest } : {}),
    configHash: facts.labels[LABEL.config] ?? '',
    ports: facts.hostPorts.filter(port => port !== ''),
  }
}

async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let from = 0; from < items.length; from += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(work))))
  }
  return results
}
