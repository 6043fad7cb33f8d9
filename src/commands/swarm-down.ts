import { Type } from 'typebox'
import { listContainers } from '#programs/docker-containers.ts'
import {
  listTasks,
  listThings,
  NAMESPACE_LABEL,
  removeThing,
  swarmMembership,
} from '#programs/docker-swarm.ts'
import { listVolumes, removeVolume } from '#programs/docker-volumes.ts'
import { defineCommand, type Hands } from './command.ts'
import { forgetProject, leaveProject } from './compose-store.ts'
import { AppName } from './container-data.ts'
import { enginesOf, LOCAL_ENGINE } from './engine.ts'
import { noteKeptVolumes } from './kept-volumes.ts'
import { volumesIn } from './own-names.ts'
import { StackName } from './swarm-data.ts'
import { SWARM_LEFTOVERS } from './swarm-errors.ts'
import { ownServices, requireManager, stacksOf, swarmNodes } from './swarm-reach.ts'
import { type Shelf, shelfOf, shelvesOf } from './swarm-shelves.ts'
import { tidyStack } from './swarm-tidy.ts'

const strict = { additionalProperties: false } as const
const PAUSE_MS = 250
const GONE_WITHIN_MS = 120_000

const Volumes = Type.Union([Type.Literal('keep'), Type.Literal('delete')])

export const swarmDown = defineCommand({
  name: 'swarm.down',
  summary:
    "Takes an app's stacks out of the swarm: services, secrets, configs, networks, rendered files; volumes only when asked.",
  role: 'worker',
  engineFree: true,
  data: Type.Object(
    {
      app: AppName,
      volumes: Volumes,
      /** Only this one, for an app whose stack has another name now. */
      stack: Type.Optional(StackName),
      /** The app has moved to another engine: what was rendered for it is needed on. */
      moved: Type.Optional(Type.Literal(true)),
    },
    strict,
  ),
  result: Type.Object({ stacks: Type.Array(StackName) }, strict),
  deadlineMs: 15 * 60_000,
  lock: data => `swarm-app:${data.app}`,
  async run(hands, { app, volumes, stack: only, moved = false }) {
    const { engine } = hands.host
    const shelves = (await shelvesOf(hands, app)).filter(each => only === undefined || each.stack === only)
    const here = shelves.filter(each => each.engine === (engine?.name ?? LOCAL_ENGINE))
    const running = (await stacksOf(hands, hands.host.dockerSocket, app)).filter(
      each => only === undefined || each === only,
    )
    const stacks = [...new Set([...here.map(each => each.stack), ...running])]
    if (stacks.length > 0) {
      await requireManager(hands)
    }
    for (const stack of stacks) {
      if (moved && (await runsThrough(hands, shelves, stack))) {
        continue
      }
      const leaving = { app, shelf: shelfOf(hands.host, stack), label: `${NAMESPACE_LABEL}=${stack}` }
      // Before the services are gone: they alone say what other nodes have.
      await noteKeptVolumes(hands, { ...leaving, elsewhere: await volumesElsewhere(hands, { app, stack }) })
      await takeStackDown(hands, { app, stack })
      if (volumes === 'delete') {
        await deleteVolumes(hands, stack)
        await noteKeptVolumes(hands, leaving)
      }
    }
    for (const { shelf } of here) {
      await (moved ? leaveProject(hands, shelf) : forgetProject(hands, shelf))
    }
    if (!moved) {
      await forgetLeft(hands, shelves)
    }
    return { stacks }
  },
})

/** Whether the app has it on another engine that manages the same swarm: then nothing of it is left over here. */
async function runsThrough(hands: Hands, shelves: readonly Shelf[], stack: string): Promise<boolean> {
  const { dockerSocket, engine } = hands.host
  const { swarmId } = await hands.perform(swarmMembership(dockerSocket))
  for (const each of shelves.filter(other => other.stack === stack && !other.hasLeft)) {
    const other = enginesOf(hands.host).find(({ name }) => name === each.engine)
    if (!other || other.name === (engine?.name ?? LOCAL_ENGINE)) {
      continue
    }
    if ((await hands.perform(swarmMembership(other.address))).swarmId === swarmId) {
      return true
    }
  }
  return false
}

/** What was kept of the time on other engines. */
async function forgetLeft(hands: Hands, shelves: readonly Shelf[]): Promise<void> {
  for (const { shelf } of shelves.filter(each => each.hasLeft)) {
    await forgetProject(hands, shelf)
  }
}

interface Down {
  readonly app: string
  readonly stack: string
}

/** Named volumes of its own in a swarm of several nodes: each that ran a task has its own one. */
async function volumesElsewhere(hands: Hands, { app, stack }: Down): Promise<readonly string[]> {
  const [services, nodes] = await Promise.all([ownServices(hands, { app, stack }), swarmNodes(hands)])
  return nodes.length < 2
    ? []
    : services
        .flatMap(({ containerSpec }) => volumesIn(containerSpec))
        .filter(({ labels }) => labels[NAMESPACE_LABEL] === stack)
        .map(({ name }) => name)
}

/** As `docker stack rm`, but it waits until nothing is left. */
export async function takeStackDown(hands: Hands, down: Down): Promise<void> {
  const { dockerSocket } = hands.host
  const services = await ownServices(hands, down)
  for (const { id } of services) {
    await hands.perform(removeThing(dockerSocket, 'services', id))
  }
  await untilGone(hands, down.stack)
  await tidyStack(hands, down.stack, undefined)
  const left = await hands.perform(listThings(dockerSocket, 'networks', down.stack))
  if (left.length > 0) {
    throw SWARM_LEFTOVERS(down.stack, `the network ${left.map(each => each.name).join(', ')}`)
  }
}

/** What runs on a node that is down ends when that is back, and is waited for by nobody. */
async function untilGone(hands: Hands, stack: string): Promise<void> {
  const { dockerSocket } = hands.host
  const began = hands.clock.monotonic()
  for (;;) {
    const [containers, tasks, nodes] = await Promise.all([
      hands.perform(listContainers(dockerSocket, [`${NAMESPACE_LABEL}=${stack}`])),
      hands.perform(listTasks(dockerSocket, stack)),
      swarmNodes(hands),
    ])
    const reachable = new Set(nodes.filter(each => each.state === 'ready').map(each => each.id))
    const left = Math.max(containers.length, tasks.filter(each => reachable.has(each.nodeId)).length)
    if (left === 0) {
      return
    }
    if (hands.clock.monotonic() - began > GONE_WITHIN_MS) {
      throw SWARM_LEFTOVERS(stack, `${left} tasks are not stopped yet`)
    }
    await hands.clock.sleep(PAUSE_MS, hands.signal)
  }
}

async function deleteVolumes(hands: Hands, stack: string): Promise<void> {
  const { dockerSocket } = hands.host
  const names = await hands.perform(listVolumes(dockerSocket, [`${NAMESPACE_LABEL}=${stack}`]))
  await Promise.all(names.map(name => hands.perform(removeVolume(dockerSocket, name))))
  hands.say('volumes on other nodes are left: no engine can delete those of another', 'info')
}
