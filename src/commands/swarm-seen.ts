import { canonicalJson } from '#lib/canonical-json.ts'
import { listTasks } from '#programs/docker-swarm.ts'
import type { SwarmNode, SwarmService, SwarmTask } from '#programs/swarm-facts.ts'
import type { Hands } from './command.ts'
import { LABEL } from './container-data.ts'
import type { Fingerprints } from './host-key.ts'
import type { SwarmServiceData } from './swarm-data.ts'
import { shortName } from './swarm-reach.ts'

/** One service and the tasks that the swarm still knows of it. */
export interface SeenService {
  readonly service: SwarmService
  readonly tasks: readonly SwarmTask[]
}

export async function seeServices(
  hands: Hands,
  stack: string,
  services: readonly SwarmService[],
): Promise<SeenService[]> {
  const tasks = services.length === 0 ? [] : await hands.perform(listTasks(hands.host.dockerSocket, stack))
  return services.map(service => ({
    service,
    tasks: tasks.filter(each => each.serviceId === service.id),
  }))
}

/** Made from what the service is now. The engine gives both in the same form. */
export function isCurrent({ containerSpec }: SwarmTask, service: SwarmService): boolean {
  return canonicalJson(containerSpec) === canonicalJson(service.containerSpec)
}

/** Tasks that run as they shall; a task with a health check runs once that has passed. */
export function runningTasks({ service, tasks }: SeenService): readonly SwarmTask[] {
  return tasks.filter(
    each => each.desired === 'running' && each.state === 'running' && isCurrent(each, service),
  )
}

/** Undefined: as many tasks as wanted run, all from what the service is now, and nothing is under way. */
export function whatIsMissing(seen: SeenService): string | undefined {
  const { service, tasks } = seen
  const { update } = service
  if (update && update.state !== 'completed') {
    return update.state === 'updating' ? 'its update is under way' : update.message || update.state
  }
  const wanted = tasks.filter(each => each.desired === 'running' || each.desired === 'ready')
  const running = runningTasks(seen)
  const done = service.mayComplete ? completedSlots(seen).length : 0
  const waiting = wanted.find(each => !running.includes(each))
  if (waiting) {
    return isCurrent(waiting, service)
      ? `a task is ${waiting.state}${waiting.error === '' ? '' : ` (${waiting.error})`}`
      : 'an old task still runs'
  }
  const least = service.replicas ?? 1
  return running.length + done < least ? `${running.length} of ${least} tasks run` : undefined
}

/** Slots of a service that may end, whose last task did its work. */
function completedSlots({ service, tasks }: SeenService): readonly number[] {
  const complete = tasks.filter(each => each.state === 'complete' && isCurrent(each, service))
  const running = new Set(tasks.filter(each => each.desired === 'running').map(each => each.slot))
  return [...new Set(complete.map(each => each.slot))].filter(slot => !running.has(slot))
}

export interface Around {
  readonly stack: string
  readonly nodes: readonly SwarmNode[]
  readonly fingerprints: Fingerprints
}

export function describeSeen(seen: SeenService, { stack, nodes, fingerprints }: Around): SwarmServiceData {
  const { service } = seen
  const running = runningTasks(seen)
  const problem = whatIsMissing(seen)
  return {
    name: shortName(stack, service.name),
    id: service.id,
    version: service.version,
    image: service.image,
    configHash: service.labels[LABEL.config] ?? '',
    fingerprint: fingerprints.of(`service ${service.name}`, canonicalJson(service.spec)),
    ...(service.replicas === undefined ? {} : { replicas: service.replicas }),
    running: running.length,
    nodes: running.map(task => nodes.find(node => node.id === task.nodeId)?.name ?? '').sort(),
    isSettled: problem === undefined,
    ...(problem === undefined ? {} : { problem }),
  }
}
