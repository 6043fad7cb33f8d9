import { listNodes, listServices, NAMESPACE_LABEL, swarmMembership } from '#programs/docker-swarm.ts'
import type { SwarmNode, SwarmService } from '#programs/swarm-facts.ts'
import { SWARM_STARTING } from '#programs/swarm-starting.ts'
import type { Hands } from './command.ts'
import { LABEL } from './container-data.ts'
import { SWARM_MISSING, SWARM_NOT_MANAGED, SWARM_STACK_TAKEN } from './swarm-errors.ts'

/** Throws unless the host's engine can be told what its swarm shall run. Gives the id of its own node. */
export async function requireManager(hands: Hands): Promise<string> {
  const { name, dockerSocket } = hands.host
  const { state, isManager, nodeId, error } = await hands.perform(swarmMembership(dockerSocket))
  if (state === 'inactive') {
    throw SWARM_MISSING(name)
  }
  if (state === 'pending') {
    throw SWARM_STARTING('it is starting')
  }
  if (state !== 'active' || !isManager) {
    throw SWARM_NOT_MANAGED(name, whyNot(state, error))
  }
  return nodeId
}

function whyNot(state: string, error: string): string {
  if (state === 'active') {
    return 'it is a worker node'
  }
  return error === '' ? `its node is ${state}` : `its node is ${state} (${error})`
}

/** Nodes that tasks may be on now or later. One that is down for good should be removed from the swarm. */
export async function swarmNodes(hands: Hands): Promise<readonly SwarmNode[]> {
  return hands.perform(listNodes(hands.host.dockerSocket))
}

/** The services of the stack, by their short names; throws when they are somebody else's. */
export async function ownServices(
  hands: Hands,
  { app, stack }: { readonly app: string; readonly stack: string },
): Promise<readonly SwarmService[]> {
  const services = await hands.perform(listServices(hands.host.dockerSocket, stack))
  const foreign = services.find(each => each.labels[LABEL.app] !== app)
  if (foreign) {
    throw SWARM_STACK_TAKEN(stack, foreign.labels[LABEL.app] ?? '')
  }
  return services
}

/** Stacks of an app that the engine tells of: a host that has lost its folders still knows them. */
export async function stacksOf(hands: Hands, socket: string, app: string): Promise<readonly string[]> {
  const services = await hands.perform(listServices(socket))
  const own = services.filter(({ labels }) => labels[LABEL.app] === app && labels[LABEL.config] !== undefined)
  return [...new Set(own.flatMap(({ labels }) => labels[NAMESPACE_LABEL] ?? []))]
}

/** `web` of `shop_web`. */
export function shortName(stack: string, name: string): string {
  return name.startsWith(`${stack}_`) ? name.slice(stack.length + 1) : name
}
