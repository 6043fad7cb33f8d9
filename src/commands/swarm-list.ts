import { Type } from 'typebox'
import { listNodes, listServices, NAMESPACE_LABEL } from '#programs/docker-swarm.ts'
import type { SwarmService, SwarmTask } from '#programs/swarm-facts.ts'
import { defineCommand, type Hands } from './command.ts'
import { LABEL } from './container-data.ts'
import { shortName } from './swarm-reach.ts'
import { runningTasks, type SeenService, seeServices, whatIsMissing } from './swarm-seen.ts'

const strict = { additionalProperties: false } as const
/** A result must fit one frame: 200 services of 20 tasks are half of it. */
const MOST_SERVICES = 200
const MOST_TASKS = 20

const Task = Type.Object(
  {
    id: Type.String(),
    slot: Type.Union([Type.Integer(), Type.Null()]),
    /** Name of the node; its id when it is not in the swarm any more. */
    node: Type.String(),
    state: Type.String(),
    desired: Type.String(),
    error: Type.String(),
    image: Type.String(),
  },
  strict,
)

const Service = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    image: Type.String(),
    replicas: Type.Union([Type.Integer(), Type.Null()]),
    running: Type.Integer(),
    problem: Type.Union([Type.String(), Type.Null()]),
    tasks: Type.Array(Task),
  },
  strict,
)

const Stack = Type.Object(
  {
    stack: Type.String(),
    /** The app that deployed it; null for one that Fairlead did not. */
    owner: Type.Union([Type.String(), Type.Null()]),
    services: Type.Array(Service),
  },
  strict,
)

export const swarmList = defineCommand({
  name: 'swarm.list',
  summary:
    'Tells which stacks run in the swarm that this host manages, with services and tasks; none without a swarm.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object({}, strict),
  result: Type.Object({ stacks: Type.Array(Stack), truncated: Type.Boolean() }, strict),
  deadlineMs: 60_000,
  async run(hands) {
    const services = (await hands.perform(listServices(hands.host.dockerSocket))).filter(
      ({ labels }) => labels[NAMESPACE_LABEL] !== undefined,
    )
    const shown = services.slice(0, MOST_SERVICES)
    const nodes = await nodeNames(hands, shown)
    const stacks = [...Map.groupBy(shown, ({ labels }) => labels[NAMESPACE_LABEL] ?? '')]
    const seen = stacks.map(async ([stack, own]) => ({
      stack,
      owner: own[0]?.labels[LABEL.app] ?? null,
      services: (await seeServices(hands, stack, own)).map(each => describe(stack, each, nodes)).sort(byName),
    }))
    return {
      stacks: (await Promise.all(seen)).sort((a, b) => (a.stack < b.stack ? -1 : 1)),
      truncated: services.length > shown.length,
    }
  },
})

async function nodeNames(
  hands: Hands,
  services: readonly SwarmService[],
): Promise<ReadonlyMap<string, string>> {
  const nodes = services.length === 0 ? [] : await hands.perform(listNodes(hands.host.dockerSocket))
  return new Map(nodes.map(({ id, name }) => [id, name]))
}

function describe(stack: string, seen: SeenService, nodes: ReadonlyMap<string, string>) {
  const { service, tasks } = seen
  return {
    id: service.id,
    name: shortName(stack, service.name),
    image: service.image,
    replicas: service.replicas ?? null,
    running: runningTasks(seen).length,
    problem: whatIsMissing(seen) ?? null,
    tasks: shownTasks(tasks).map(task => ({
      id: task.id,
      slot: task.slot === 0 ? null : task.slot,
      node: nodes.get(task.nodeId) ?? task.nodeId,
      state: task.state,
      desired: task.desired,
      error: task.error,
      image: task.image,
    })),
  }
}

/** Those that are to run, and of each place the last one that was not. */
function shownTasks(tasks: readonly SwarmTask[]): readonly SwarmTask[] {
  const newest = [...tasks].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
  const wanted = newest.filter(({ desired }) => desired !== 'shutdown' && desired !== 'remove')
  const ended = newest.filter(task => !wanted.includes(task) && task.error !== '')
  const last = [...Map.groupBy(ended, task => task.slot || task.nodeId).values()].flatMap(
    ([first]) => first ?? [],
  )
  return [...wanted, ...last].slice(0, MOST_TASKS)
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
