import { type ContainerFacts, inspectContainer, listContainers } from '#programs/docker-containers.ts'
import type { Hands } from './command.ts'
import { type ContainerStartData, LABEL } from './container-data.ts'

/** All containers of an app that deployments of it made, newest first. */
export async function containersOf(hands: Hands, app: string): Promise<readonly ContainerFacts[]> {
  const { dockerSocket } = hands.host
  const ids = await hands.perform(listContainers(dockerSocket, [`${LABEL.app}=${app}`, LABEL.slot]))
  const facts = await Promise.all(ids.map(id => hands.perform(inspectContainer(dockerSocket, id))))
  // A service of a Compose project belongs to that project, whatever labels it has besides.
  const own = facts.flatMap(each =>
    each && each.labels['com.docker.compose.project'] === undefined ? [each] : [],
  )
  return hands.host.engine && own.length > 0 ? atTheirSlots(hands, app, own) : own
}

/** On another engine the address in the network says nothing here: the place is the one that its label names. */
async function atTheirSlots(
  { host }: Hands,
  app: string,
  containers: readonly ContainerFacts[],
): Promise<readonly ContainerFacts[]> {
  const slots = await host.switchboard.slots(app)
  return containers.map(each => ({
    ...each,
    addresses: { ...each.addresses, [host.network.name]: slots[each.labels[LABEL.slot] === '1' ? 1 : 0] },
  }))
}

export interface Siblings {
  readonly data: ContainerStartData
  readonly siblings: readonly ContainerFacts[]
  readonly slots: readonly [string, string]
  /** Deployment that the switchboard sends requests to. */
  readonly current: string | undefined
  /** Name of the network that the slots are in. */
  readonly network: string
}

export interface Places {
  readonly present: ContainerFacts | undefined
  readonly leftovers: readonly ContainerFacts[]
  readonly mustYield: ContainerFacts | undefined
  readonly yieldReason: string
  readonly ip: string
  readonly slot: number
}

/** Decides which address the new container takes and what has to go before it can start. */
export function planPlaces({ data, siblings, slots, current, network }: Siblings): Places {
  const own = siblings.filter(each => each.labels[LABEL.deployment] === data.deployment)
  const others = siblings.filter(each => !own.includes(each))
  const previous = findPrevious(others, current ?? data.previous)
  const present = own.find(
    each => each.state === 'running' && each.restarts === 0 && each.labels[LABEL.config] === data.configHash,
  )
  // The engine tells no address of one that does not run; its label names the place that it will take again.
  const taken = previous?.addresses[network] || slots[Number(previous?.labels[LABEL.slot])]
  const ip = (present?.addresses[network] || undefined) ?? (taken === slots[0] ? slots[1] : slots[0])
  const yieldReason = previous && !present ? reasonToYield(data, previous) : ''
  return {
    present,
    leftovers: siblings.filter(each => each !== previous && each !== present),
    mustYield: yieldReason === '' ? undefined : previous,
    yieldReason,
    ip,
    slot: Math.max(0, slots.indexOf(ip)),
  }
}

/** What serves; without a route, the last that was started. */
function findPrevious(
  others: readonly ContainerFacts[],
  deployment: string | undefined,
): ContainerFacts | undefined {
  const serving = others.find(each => each.labels[LABEL.deployment] === deployment)
  const running = others.filter(each => each.state === 'running')
  return serving ?? running.toSorted((a, b) => b.startedAt.localeCompare(a.startedAt))[0]
}

function reasonToYield(data: ContainerStartData, previous: ContainerFacts): string {
  if (data.ports.some(port => previous.hostPorts.includes(String(port.host)))) {
    return 'it holds a port of the host that the new container publishes'
  }
  if (data.volumes.some(volume => !volume.readOnly && !volume.shared)) {
    return 'two containers must not write to one volume at once (set "shared" on the volume if they may)'
  }
  return ''
}
