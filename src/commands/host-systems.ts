import type { SeenCluster } from '#contract/cluster.ts'
import { asFairleadError } from '#lib/errors.ts'
import { isUntold, listInstances, RESTORING, type SystemInstance } from '#programs/incus-instances.ts'
import { SYSTEM_KEY, systemParts } from '#programs/incus-system.ts'
import type { Hands } from './command.ts'
import type { SeenContainer } from './host-observe.ts'
import { clusterOf } from './system-members.ts'

export interface SystemsSight {
  readonly seen: readonly {
    readonly container: SeenContainer
    readonly parts: Readonly<Record<string, string>>
  }[]
  /** Why they could not be seen. */
  readonly problem: string | undefined
  readonly cluster?: SeenCluster | undefined
}

/** The system containers that deployments made, by the id of their apps. An Incus daemon that is away hides no other app. */
export async function observeSystems(hands: Hands): Promise<SystemsSight> {
  const { host, perform, signal } = hands
  if (!host.systems) {
    return { seen: [], problem: undefined }
  }
  try {
    const all = await perform(listInstances(host.systems.socket))
    const cluster = await clusterOf(hands)
    // A member of a cluster that does not answer hides nothing but what is on it.
    const away = all.filter(each => isUntold(each) && cluster && each.location !== cluster.own)
    if (all.some(each => isUntold(each) && !away.includes(each))) {
      return { seen: [], problem: 'Incus does not say just now how all containers are' }
    }
    const ours = all.filter(
      each => each.config[SYSTEM_KEY.whole] === 'true' && !each.name.startsWith(RESTORING),
    )
    const outOfReach = away.slice(0, MOST).map(({ name, location = '' }) => ({ name, member: location }))
    return {
      ...{ seen: ours.map(sightOf), problem: undefined },
      cluster: cluster && { own: cluster.own, members: cluster.members.slice(0, MOST_MEMBERS), outOfReach },
    }
  } catch (error) {
    signal.throwIfAborted()
    return { seen: [], problem: asFairleadError(error).message }
  }
}

function sightOf({ name, status, createdAt, location, config, devices, profiles }: SystemInstance) {
  const ports = Object.values(devices).flatMap(({ type, listen = '' }) =>
    type === 'proxy' ? [listen.slice(listen.lastIndexOf(':') + 1)] : [],
  )
  const where = location === undefined ? {} : { member: location }
  const container: SeenContainer = {
    app: config[SYSTEM_KEY.id] ?? '',
    service: 'system',
    // What a deployment made of it is another thing than what it was before.
    id: `${config[SYSTEM_KEY.id]}.${config[SYSTEM_KEY.deployment]}`,
    name,
    state: STATES[status] ?? status,
    health: 'none',
    exitCode: 0,
    restarts: 0,
    startedAt: createdAt,
    image: config['image.description'] ?? '',
    imageId: config['volatile.base_image'] ?? '',
    configHash: config[SYSTEM_KEY.config] ?? '',
    ports,
    ...where,
  }
  return { container, parts: { name, ...where, ...systemParts(config, devices, profiles) } }
}

/** What is told of must fit into one frame. */
const MOST = 1_000
const MOST_MEMBERS = 100
const STATES: Readonly<Record<string, string>> = { running: 'running', stopped: 'exited', frozen: 'paused' }
