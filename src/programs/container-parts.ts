import type { EngineRequest } from '#exec/call.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import { type ContainerFacts, readContainer } from './docker-containers.ts'
import { dockerEngine, QUICK_MS } from './docker-engine.ts'

/** One thing of a container that a person can change, and that nothing else changes. */
export interface ContainerPart {
  /** `memory`, `label:<key>`, `network:<name>` … */
  readonly name: string
  readonly value: string
  /** It may hold a secret: only a keyed hash of it leaves the host. */
  readonly isPrivate: boolean
}

/** A bind mount of a path of the host. */
export interface BindMount {
  readonly source: string
  readonly destination: string
  readonly isWritable: boolean
}

export interface WholeContainer {
  readonly facts: ContainerFacts
  readonly parts: readonly ContainerPart[]
  readonly binds: readonly BindMount[]
}

/** A container with all of its configuration; undefined when it is gone. */
export function inspectWhole(socket: string, id: string): EngineRequest<WholeContainer | undefined> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: `/containers/${encodeURIComponent(id)}/json`,
    timeoutMs: QUICK_MS,
    ok: [200, 404],
    read: answer => (answer.status === 404 ? undefined : readWhole(answer.json as RawWhole)),
  }
}

interface RawWhole {
  Name?: string
  Image?: string
  Config?: Record<string, unknown> & { Env?: string[] | null; Labels?: Record<string, string> | null }
  HostConfig?: Record<string, unknown>
  Mounts?: RawMount[] | null
  NetworkSettings?: { Networks?: Record<string, RawEndpoint | null> | null }
}

interface RawMount {
  Type?: string
  Name?: string
  Source?: string
  Destination?: string
  RW?: boolean
}

interface RawEndpoint {
  Aliases?: string[] | null
  IPAMConfig?: { IPv4Address?: string } | null
}

/** What the engine calls it, and whether its value may hold a secret. Names that are not here are volatile or of no effect. */
const CONFIG = {
  command: 'Cmd',
  entrypoint: 'Entrypoint',
  user: 'User',
  'working-folder': 'WorkingDir',
  'health-check': 'Healthcheck',
  'stop-signal': 'StopSignal',
} as const
const HOST_OPEN = {
  memory: 'Memory',
  'memory-swap': 'MemorySwap',
  'memory-reservation': 'MemoryReservation',
  cpus: 'NanoCpus',
  'cpu-shares': 'CpuShares',
  'cpu-quota': 'CpuQuota',
  'cpu-period': 'CpuPeriod',
  'cpu-set': 'CpusetCpus',
  'block-io-weight': 'BlkioWeight',
  privileged: 'Privileged',
  'read-only': 'ReadonlyRootfs',
  'publish-all': 'PublishAllPorts',
  'shared-memory': 'ShmSize',
} as const
const HOST_PRIVATE = {
  'added-capabilities': 'CapAdd',
  'dropped-capabilities': 'CapDrop',
  'security-options': 'SecurityOpt',
  devices: 'Devices',
  'further-groups': 'GroupAdd',
  'extra-hosts': 'ExtraHosts',
  dns: 'Dns',
  ulimits: 'Ulimits',
  'kernel-settings': 'Sysctls',
  'temporary-folders': 'Tmpfs',
  logging: 'LogConfig',
} as const
const NAMESPACES = {
  'network-mode': 'NetworkMode',
  'pid-mode': 'PidMode',
  'ipc-mode': 'IpcMode',
  'user-mode': 'UsernsMode',
} as const

/** How Compose was called, which decides nothing: temporary files among it. */
const NOTES_OF_COMPOSE =
  /^com\.docker\.compose\.(?:project\.(?:environment_file|config_files|working_dir)|version|replace)$/

function readWhole(raw: RawWhole): WholeContainer {
  const { Config: config = {}, HostConfig: host = {}, Mounts: mounts } = raw
  const parts = [
    open('name', (raw.Name ?? '').replace(/^\//, '')),
    open('image', raw.Image ?? ''),
    ...entries(config.Labels)
      .filter(([key]) => !NOTES_OF_COMPOSE.test(key))
      .map(([key, value]) => hidden(`label:${key}`, value)),
    ...(config.Env ?? []).map(environmentPart),
    ...Object.entries(CONFIG).map(([name, key]) => hidden(name, config[key])),
    ...Object.entries(HOST_OPEN).map(([name, key]) => open(name, host[key])),
    ...Object.entries(HOST_PRIVATE).map(([name, key]) => hidden(name, sorted(host[key]))),
    ...Object.entries(NAMESPACES).map(([name, key]) => open(name, withoutId(host[key]))),
    // The engine writes "no limit" as null, 0 or -1.
    open('processes', Math.max(0, Number(host.PidsLimit ?? 0))),
    open('restart', restartText(host.RestartPolicy)),
    ...portParts(host.PortBindings),
    ...(mounts ?? []).map(mountPart),
    ...Object.entries(raw.NetworkSettings?.Networks ?? {}).map(([name, endpoint]) =>
      open(`network:${name}`, endpointText(endpoint)),
    ),
  ]
  return { facts: readContainer(raw), parts, binds: (mounts ?? []).flatMap(bindOf) }
}

function open(name: string, value: unknown): ContainerPart {
  return { name, value: textOf(value), isPrivate: false }
}

function hidden(name: string, value: unknown): ContainerPart {
  return { name, value: textOf(value), isPrivate: true }
}

/** Nothing is the same as an empty list: which of them the engine says depends on who made the container. */
function textOf(value: unknown): string {
  if (typeof value === 'string') {
    return value
  }
  const isEmpty =
    value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0)
  return isEmpty ? '' : canonicalJson(value)
}

function environmentPart(line: string): ContainerPart {
  const [name = ''] = line.split('=', 1)
  return hidden(`environment:${name}`, line.slice(name.length + 1))
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.map(textOf).sort() : value
}

/** `container:<id>` changes with the other container. */
function withoutId(mode: unknown): string {
  return textOf(mode).replace(/^container:.*$/, 'container')
}

function restartText(policy: unknown): string {
  const { Name, MaximumRetryCount } = (policy ?? {}) as { Name?: string; MaximumRetryCount?: number }
  const name = Name === undefined || Name === '' ? 'no' : Name
  return MaximumRetryCount ? `${name}:${MaximumRetryCount}` : name
}

function portParts(bindings: unknown): ContainerPart[] {
  return entries(bindings as Record<string, { HostIp?: string; HostPort?: string }[] | null>).map(
    ([port, hosts]) => {
      const places = (hosts ?? []).map(({ HostIp = '', HostPort = '' }) => `${HostIp}:${HostPort}`)
      return open(`port:${port}`, places.sort().join(' '))
    },
  )
}

function mountPart({ Type = '', Name = '', Source = '', Destination = '', RW }: RawMount): ContainerPart {
  // The name of an anonymous volume is another one in each container.
  const what = Type !== 'volume' ? Source : /^[0-9a-f]{64}$/.test(Name) ? 'anonymous' : Name
  return open(`mount:${Destination}`, `${Type} ${what}${RW ? '' : ' (read-only)'}`)
}

function bindOf({ Type, Source = '', Destination = '', RW }: RawMount): BindMount[] {
  return Type === 'bind' ? [{ source: Source, destination: Destination, isWritable: RW === true }] : []
}

/** Aliases and the fixed address; the engine adds the beginning of the container's id by itself. */
function endpointText(endpoint: RawEndpoint | null): string {
  const aliases = new Set((endpoint?.Aliases ?? []).filter(alias => !/^[0-9a-f]{12}$/.test(alias)))
  const ip = endpoint?.IPAMConfig?.IPv4Address
  return [...[...aliases].sort(), ...(ip ? [ip] : [])].join(' ')
}

function entries<T>(record: Record<string, T> | null | undefined): [string, T][] {
  return Object.entries(record ?? {})
}
