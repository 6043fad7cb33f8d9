import { Type } from 'typebox'
import { shapeOf } from '#policy/shape.ts'
import { listThings, removeThing, type SwarmKind } from '#programs/docker-swarm.ts'
import { defineCommand, type Hands } from './command.ts'
import { RenderHash } from './compose-data.ts'
import { OWN_KEY } from './compose-model.ts'
import { StackName } from './swarm-data.ts'
import type { StackModel } from './swarm-model.ts'
import { requireManager } from './swarm-reach.ts'
import { readStack } from './swarm-shelves.ts'

const strict = { additionalProperties: false } as const
const TRIES = 40
const PAUSE_MS = 250

export const swarmTidy = defineCommand({
  name: 'swarm.tidy',
  summary: 'Removes secrets, configs and networks of a stack that its release no longer uses.',
  role: 'worker',
  data: Type.Object({ stack: StackName, render: RenderHash }, strict),
  result: Type.Object({ removed: Type.Array(Type.String()) }, strict),
  deadlineMs: 5 * 60_000,
  lock: data => `swarm:${data.stack}`,
  async run(hands, { stack, render }) {
    await requireManager(hands)
    return { removed: await tidyStack(hands, stack, await readStack(hands, stack, render)) }
  },
})

const KINDS: readonly SwarmKind[] = ['secrets', 'configs', 'networks']

/** What belongs to the stack and is not in the model. A task that is being stopped may hold it for a moment. */
export async function tidyStack(
  hands: Hands,
  stack: string,
  model: StackModel | undefined,
): Promise<string[]> {
  const { dockerSocket } = hands.host
  const used = model ? namesIn(stack, model) : new Set<string>()
  const removed: string[] = []
  for (const kind of KINDS) {
    const things = await hands.perform(listThings(dockerSocket, kind, stack))
    for (const { id, name } of things.filter(each => !used.has(`${kind} ${each.name}`))) {
      if (await removePatiently(hands, kind, id)) {
        removed.push(name)
      } else {
        hands.say(`${kind.slice(0, -1)} ${name} is still used and stays`, 'info')
      }
    }
  }
  return removed
}

async function removePatiently(hands: Hands, kind: SwarmKind, id: string): Promise<boolean> {
  for (let left = TRIES; left > 0; left -= 1) {
    if (!(await hands.perform(removeThing(hands.host.dockerSocket, kind, id)))) {
      return true
    }
    await hands.clock.sleep(PAUSE_MS, hands.signal)
  }
  return false
}

function namesIn(stack: string, model: StackModel): Set<string> {
  const { secrets, configs } = model[OWN_KEY]
  const networks = Object.entries(shapeOf(model.networks)).map(([key, value]) =>
    String(shapeOf(value).name ?? `${stack}_${key}`),
  )
  return new Set([
    ...Object.values(secrets).map(each => `secrets ${each.name}`),
    ...Object.values(configs).map(each => `configs ${each.name}`),
    ...networks.map(name => `networks ${name}`),
    // A file that names no network has this one.
    `networks ${stack}_default`,
  ])
}
