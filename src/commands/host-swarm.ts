import { canonicalJson } from '#lib/canonical-json.ts'
import { listServices, NAMESPACE_LABEL } from '#programs/docker-swarm.ts'
import type { Hands } from './command.ts'
import { LABEL } from './container-data.ts'
import type { Fingerprints } from './host-key.ts'
import type { SeenContainer } from './host-observe.ts'
import { shortName } from './swarm-reach.ts'
import { runningTasks, type SeenService, seeServices, whatIsMissing } from './swarm-seen.ts'

export interface SwarmSight {
  readonly seen: SeenContainer
  /** What a person can change of it. */
  readonly parts: Readonly<Record<string, string>>
}

/**
 * The services of apps in the swarm that this host manages, each as if it were one container: how many tasks it has and
 * where they are is the swarm's own affair, and a task that moved is no drift. None where the host manages no swarm.
 */
export async function observeSwarm(hands: Hands, fingerprints: Fingerprints): Promise<readonly SwarmSight[]> {
  const services = await hands.perform(listServices(hands.host.dockerSocket))
  const ours = services.filter(each => each.labels[LABEL.app] && each.labels[LABEL.config])
  const stacks = [...new Set(ours.map(each => each.labels[NAMESPACE_LABEL] ?? ''))]
  const seen = await Promise.all(
    stacks.map(async stack => {
      const own = ours.filter(each => each.labels[NAMESPACE_LABEL] === stack)
      return (await seeServices(hands, stack, own)).map(each => sightOf(each, stack, fingerprints))
    }),
  )
  return seen.flat()
}

function sightOf(each: SeenService, stack: string, fingerprints: Fingerprints): SwarmSight {
  const { service } = each
  const { image, labels, replicas } = service
  return {
    seen: {
      app: labels[LABEL.app] ?? '',
      service: shortName(stack, service.name),
      ...{ id: service.id, name: service.name },
      ...stateOf(each),
      ...{ restarts: 0, startedAt: '', image, imageId: image },
      ...(image.includes('@') ? { digest: image } : {}),
      configHash: labels[LABEL.config] ?? '',
      ports: service.ports.map(port => String(port.published)),
    },
    parts: {
      image,
      ...(replicas === undefined ? {} : { replicas: String(replicas) }),
      'service-definition': fingerprints.of(`service ${service.name}`, canonicalJson(service.spec)),
    },
  }
}

/** An update under way is a start; without any task it has ended, unless it was to have none, or has done its work. */
function stateOf(each: SeenService): Pick<SeenContainer, 'state' | 'health' | 'exitCode'> {
  const isSettled = whatIsMissing(each) === undefined
  if (runningTasks(each).length > 0) {
    return { state: 'running', health: isSettled ? 'none' : 'starting', exitCode: 0 }
  }
  return { state: 'exited', health: 'none', exitCode: isSettled ? 0 : 1 }
}
