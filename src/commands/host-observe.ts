import { createHash } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { SeenCluster } from '#contract/cluster.ts'
import { SeenEngine } from '#contract/engine.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import { listEveryContainer } from '#programs/container-list.ts'
import { inspectWhole, type WholeContainer } from '#programs/container-parts.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import { type ImageFacts, inspectImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { serviceOf } from './compose-observe.ts'
import { ASLEEP, LABEL } from './container-data.ts'
import { isAsleep } from './container-sleep.ts'
import { lookAtEngines } from './host-engines.ts'
import { releaseFiles } from './host-files.ts'
import { type Fingerprints, openFingerprints } from './host-key.ts'
import { makerOf, ownerIn, ownersOf } from './host-owners.ts'
import { observeRoutes, SeenRoute } from './host-routes.ts'
import { observeSwarm } from './host-swarm.ts'
import { observeSystems } from './host-systems.ts'
import { inTurns } from './in-turns.ts'

const strict = { additionalProperties: false } as const

/** What is told of must fit into one frame. */
const MOST = 1_000
/** Configurations beyond it follow with the next looks. */
const MOST_CHARACTERS = 300_000

export const SeenContainer = Type.Object(
  {
    app: Type.String(),
    /** Of a Compose project; empty for a container app. */
    service: Type.String(),
    /** Absent: the host's own. */
    engine: Type.Optional(Type.String()),
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
    /** Of a system container: the member of the cluster that it is on. */
    member: Type.Optional(Type.String()),
  },
  strict,
)
export type SeenContainer = Static<typeof SeenContainer>

export const Configuration = Type.Object(
  {
    fingerprint: Type.String(),
    /** By name, as it is or (behind a ~) as a keyed hash. Left out when the manager knows the fingerprint. */
    parts: Type.Optional(Type.Record(Type.String(), Type.String())),
  },
  strict,
)
export type Configuration = Static<typeof Configuration>

const Observed = Type.Object(
  {
    containers: Type.Array(SeenContainer, { maxItems: MOST }),
    /** Containers in the Compose project of an app that no deployment made. */
    foreign: Type.Array(SeenContainer, { maxItems: MOST }),
    /** By id of a container, what of it a person can change. */
    configurations: Type.Record(Type.String(), Configuration),
    /** By name; null when there is no proxy, or it does not answer. */
    routes: Type.Union([Type.Null(), Type.Record(Type.String(), SeenRoute)]),
    /** Which key the hashes were made with. */
    key: Type.String(),
    /** The network that the proxy reaches containers on. */
    network: Type.String(),
    /** Why its system containers could not be seen; absent: they were, or there are none. */
    systemsProblem: Type.Optional(Type.String()),
    /** The cluster that its Incus daemon is in. */
    cluster: Type.Optional(SeenCluster),
    /** All of the host; absent when it has only its own. */
    engines: Type.Optional(Type.Array(SeenEngine, { maxItems: 51 })),
  },
  strict,
)
export type HostObserved = Static<typeof Observed>

export const hostObserve = defineCommand({
  name: 'host.observe',
  summary: 'Tells of every container and route of every app on this host how it is, in one answer.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object(
    {
      /** Id of a container -> fingerprint that is known already. */
      known: Type.Optional(Type.Record(Type.String(), Type.String())),
    },
    strict,
  ),
  result: Observed,
  deadlineMs: 60_000,
  lock: () => 'host.observe',
  async run(hands, { known = {} }) {
    const fingerprints = await openFingerprints(hands)
    const knowledge = { known, fingerprints, left: { containers: MOST, characters: MOST_CHARACTERS } }
    const looks = await lookAtEngines(hands, on => look(on, knowledge))
    const seen = looks ? looks.flatMap(each => each.seen ?? []) : [await look(hands, knowledge)]
    const systems = await observeSystems(hands)
    const isAnyThere = seen.some(each => each.containers.length + each.foreign.length > 0)
    return {
      containers: [
        ...seen.flatMap(each => each.containers),
        ...systems.seen.map(each => each.container),
      ].slice(0, MOST),
      foreign: seen.flatMap(each => each.foreign),
      configurations: Object.assign(
        {},
        ...seen.map(each => each.configurations),
        ...systems.seen.map(({ container: { id }, parts }) => ({ [id]: configurationOf(parts, known[id]) })),
      ),
      ...(systems.problem === undefined ? {} : { systemsProblem: systems.problem }),
      ...(systems.cluster ? { cluster: systems.cluster } : {}),
      routes: isAnyThere ? await observeRoutes(hands) : null,
      key: fingerprints.key,
      network: hands.host.network.name,
      ...(looks ? { engines: looks.map(each => each.engine) } : {}),
    }
  },
})

type Looked = Pick<HostObserved, 'containers' | 'foreign' | 'configurations'>

/** What is on one engine. */
async function look(hands: Hands, knowledge: Knowledge): Promise<Looked> {
  const { dockerSocket, engine } = hands.host
  const listed = await hands.perform(listEveryContainer(dockerSocket))
  const owners = await ownersOf(hands, listed)
  const all = listed.filter(each => ownerIn(owners, each) !== undefined)
  const ours = all.slice(0, Math.max(0, knowledge.left.containers))
  knowledge.left.containers -= ours.length
  const [whole, swarm] = await Promise.all([
    inTurns(ours, ({ id }) => hands.perform(inspectWhole(dockerSocket, id))),
    observeSwarm(hands, knowledge.fingerprints),
  ])
  const where = engine ? { engine: engine.name } : {}
  const present = whole.flatMap(each => each ?? [])
  const digests = await digestsOf(
    hands,
    present.map(each => each.facts),
  )
  const describe = ({ facts }: WholeContainer) => ({
    ...seen(facts, { app: ownerIn(owners, facts) ?? '', digest: digests.get(facts.imageId) }),
    ...(isAsleep(hands, facts) ? { state: ASLEEP } : {}),
    ...where,
  })
  const services = swarm.map(each => ({ ...each.seen, ...where }))
  return {
    containers: [...present.filter(isMade).map(describe), ...services].slice(0, MOST),
    foreign: present.filter(each => !isMade(each)).map(describe),
    configurations: {
      ...(await configurationsOf(hands, present, knowledge)),
      ...Object.fromEntries(
        swarm.map(({ seen: { id }, parts }) => [id, configurationOf(parts, knowledge.known[id])]),
      ),
    },
  }
}

function isMade({ facts }: WholeContainer): boolean {
  return makerOf(facts) !== undefined
}

interface Knowledge {
  readonly known: Readonly<Record<string, string>>
  readonly fingerprints: Fingerprints
  /** What still fits into the answer. */
  readonly left: { containers: number; characters: number }
}

function configurationOf(parts: Readonly<Record<string, string>>, known: string | undefined): Configuration {
  const fingerprint = createHash('sha256').update(canonicalJson(parts)).digest('hex').slice(0, 24)
  return known === fingerprint ? { fingerprint } : { fingerprint, parts: { ...parts } }
}

async function configurationsOf(
  hands: Hands,
  containers: readonly WholeContainer[],
  { known, fingerprints, left }: Knowledge,
): Promise<Record<string, Configuration>> {
  const found: Record<string, Configuration> = {}
  for (const { facts, parts: all, binds } of containers) {
    const parts: Record<string, string> = {}
    for (const { name, value, isPrivate } of all) {
      parts[name] = isPrivate ? fingerprints.of(name, value) : value
    }
    for (const { name, destination, content } of await releaseFiles(hands, binds)) {
      parts[`file:${name}:${destination}`] = fingerprints.of(name, content)
    }
    const text = canonicalJson(parts)
    const fingerprint = createHash('sha256').update(text).digest('hex').slice(0, 24)
    const isTold = known[facts.id] !== fingerprint && text.length <= left.characters
    left.characters -= isTold ? text.length : 0
    found[facts.id] = isTold ? { fingerprint, parts } : { fingerprint }
  }
  return found
}

async function digestsOf(hands: Hands, facts: readonly ContainerFacts[]): Promise<Map<string, string>> {
  const ids = [...new Set(facts.map(each => each.imageId))]
  const images = await inTurns(ids, id => hands.perform(inspectImage(hands.host.dockerSocket, id)))
  return new Map(images.flatMap((image: ImageFacts | undefined, at) => pairOf(ids[at], image?.digests[0])))
}

function pairOf(id: string | undefined, digest: string | undefined): [string, string][] {
  return id === undefined || digest === undefined ? [] : [[id, digest]]
}

interface Whose {
  readonly app: string
  readonly digest: string | undefined
}

function seen(facts: ContainerFacts, { app, digest }: Whose): SeenContainer {
  return {
    app,
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
