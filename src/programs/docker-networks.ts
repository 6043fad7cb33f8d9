import type { EngineRequest } from '#exec/call.ts'
import type { Refused } from './docker-containers.ts'
import { dockerEngine, engineMessage, filters, QUICK_MS, SLOW_MS } from './docker-engine.ts'
import { type NamedThing, namedThings } from './docker-volumes.ts'

export interface NetworkFacts {
  readonly id: string
  readonly subnets: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

/** Undefined when there is none of this name. */
export function inspectNetwork(socket: string, name: string): EngineRequest<NetworkFacts | undefined> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: `/networks/${encodeURIComponent(name)}`,
    timeoutMs: QUICK_MS,
    ok: [200, 404],
    read: answer => (answer.status === 404 ? undefined : readNetwork(answer.json)),
  }
}

/** Which networks have one of these names, also those of the swarm. */
export function listNamedNetworks(
  socket: string,
  names: readonly string[],
): EngineRequest<readonly NamedThing[]> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/networks',
    query: { filters: filters({ name: names }) },
    timeoutMs: QUICK_MS,
    ok: [200],
    read: answer => namedThings(answer.json, names),
  }
}

/** A bridge whose members the host can reach but not each other; undefined when made. */
export function createIsolatedNetwork(
  socket: string,
  network: { readonly name: string; readonly subnet?: string },
): EngineRequest<Refused | undefined> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: '/networks/create',
    body: {
      Name: network.name,
      CheckDuplicate: true,
      Driver: 'bridge',
      Options: { 'com.docker.network.bridge.enable_icc': 'false' },
      ...(network.subnet === undefined ? {} : { IPAM: { Config: [rangeOf(network.subnet)] } }),
      Labels: { 'io.fairlead.network': network.name },
    },
    timeoutMs: SLOW_MS,
    ok: 'any',
    read: answer =>
      answer.status === 201 ? undefined : { refused: engineMessage(answer), status: answer.status },
  }
}

/** What the engine hands out by itself stays below the slots of the switchboard. */
function rangeOf(subnet: string) {
  return { Subnet: subnet, IPRange: `${subnet.split('/')[0]}/28` }
}

function readNetwork(json: unknown): NetworkFacts {
  const raw = (json ?? {}) as {
    Id?: string
    Labels?: Record<string, string> | null
    IPAM?: { Config?: { Subnet?: string }[] | null }
  }
  return {
    id: raw.Id ?? '',
    labels: raw.Labels ?? {},
    subnets: (raw.IPAM?.Config ?? []).map(config => config.Subnet ?? ''),
  }
}
