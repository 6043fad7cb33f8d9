import type { EngineAnswer, EngineRequest } from '#exec/call.ts'
import { dockerEngine, engineMessage, filters, QUICK_MS, SLOW_MS } from './docker-engine.ts'

/** What the engine knows of one container, as far as anything here decides by it. */
export interface ContainerFacts {
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** created, running, restarting, exited, paused, dead, removing */
  readonly state: string
  readonly exitCode: number
  /** The engine says so when it learnt of it in time: it may never do. */
  readonly outOfMemory: boolean
  /** The most that it may use, in bytes; 0: no limit. */
  readonly memoryBytes: number
  /** The same of processors, processes and shared memory; absent: no limit. */
  readonly cpus?: number | undefined
  readonly pids?: number | undefined
  readonly sharedMemoryBytes?: number | undefined
  /** The engine's own words when it could not start the program. */
  readonly error: string
  readonly startedAt: string
  readonly restarts: number
  readonly imageId: string
  /** The reference it was created from. */
  readonly image: string
  /** none: it has no health check. */
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  /** Output of the last failed checks, newest last. */
  readonly healthLog: readonly string[]
  /** Its address in each network. */
  readonly addresses: Readonly<Record<string, string>>
  /** Host ports it asks for, started or not. */
  readonly hostPorts: readonly string[]
  /** It can write to a volume or to files of the host. */
  readonly writesVolumes: boolean
  /** Volumes that it mounts. */
  readonly volumes?: readonly string[]
  /** It has a volume without a name: only what is made in its place takes such a one over. */
  readonly ownVolumes: boolean
}

/** An engine's refusal, for the command to explain. */
export interface Refused {
  readonly refused: string
  readonly status: number
}

/** All containers, running or not, that carry all these labels (`key` or `key=value`); ids only, newest first. */
export function listContainers(socket: string, labels: readonly string[]): EngineRequest<readonly string[]> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/containers/json',
    query: { all: true, filters: filters({ label: labels }) },
    timeoutMs: QUICK_MS,
    ok: [200],
    read: answer => ((answer.json ?? []) as { Id?: string }[]).map(entry => entry.Id ?? ''),
  }
}

/** Undefined when it is gone. */
export function inspectContainer(socket: string, id: string): EngineRequest<ContainerFacts | undefined> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: `/containers/${encodeURIComponent(id)}/json`,
    timeoutMs: QUICK_MS,
    ok: [200, 404],
    read: answer => (answer.status === 404 ? undefined : readContainer(answer.json)),
  }
}

export function createContainer(
  socket: string,
  name: string,
  spec: object,
): EngineRequest<{ readonly id: string } | Refused> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: '/containers/create',
    query: { name },
    body: spec,
    timeoutMs: SLOW_MS,
    ok: 'any',
    read: answer => (answer.status === 201 ? { id: (answer.json as { Id: string }).Id } : refusal(answer)),
  }
}

/** Undefined: it runs (or ran already). */
export function startContainer(socket: string, id: string): EngineRequest<Refused | undefined> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: `/containers/${encodeURIComponent(id)}/start`,
    timeoutMs: SLOW_MS,
    ok: 'any',
    read: answer => (answer.status === 204 || answer.status === 304 ? undefined : refusal(answer)),
  }
}

/** SIGTERM, then SIGKILL after the container's own grace time. A container that is stopped or gone is no error. */
export function stopContainer(socket: string, id: string): EngineRequest<void> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'POST',
    path: `/containers/${encodeURIComponent(id)}/stop`,
    // The grace time is at most ten minutes (container-data.ts).
    timeoutMs: 10 * 60_000 + SLOW_MS,
    ok: [204, 304, 404],
    read: () => undefined,
  }
}

/** Kills it when it runs and removes it, by default with its anonymous volumes. Gone already, or being removed by someone else, is no error. */
export function removeContainer(
  socket: string,
  id: string,
  volumes: 'delete' | 'keep' = 'delete',
): EngineRequest<void> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'DELETE',
    path: `/containers/${encodeURIComponent(id)}`,
    query: { force: true, v: volumes === 'delete' },
    timeoutMs: SLOW_MS,
    ok: [204, 404, 409],
    read: () => undefined,
  }
}

/** Names of the containers that publish this host port. */
export function findPublisher(socket: string, hostPort: number): EngineRequest<readonly string[]> {
  return {
    kind: 'request',
    engine: dockerEngine(socket),
    method: 'GET',
    path: '/containers/json',
    query: { filters: filters({ publish: [String(hostPort)] }) },
    timeoutMs: QUICK_MS,
    ok: [200],
    read: answer => ((answer.json ?? []) as { Names?: string[] }[]).map(entry => plainName(entry.Names?.[0])),
  }
}

function refusal(answer: EngineAnswer): Refused {
  return { refused: engineMessage(answer), status: answer.status }
}

interface RawContainer {
  Id?: string
  Name?: string
  Image?: string
  RestartCount?: number
  Config?: { Image?: string; Labels?: Record<string, string> }
  Mounts?: { Type?: string; Name?: string; RW?: boolean }[] | null
  HostConfig?: {
    Memory?: number
    NanoCpus?: number
    PidsLimit?: number | null
    ShmSize?: number
    PortBindings?: Record<string, { HostPort?: string }[] | null> | null
  }
  State?: {
    Status?: string
    ExitCode?: number
    OOMKilled?: boolean
    Error?: string
    StartedAt?: string
    Health?: { Status?: string; Log?: { ExitCode?: number; Output?: string }[] | null }
  }
  NetworkSettings?: {
    Networks?: Record<string, { IPAddress?: string; IPAMConfig?: { IPv4Address?: string } | null }>
  }
}

export function readContainer(json: unknown): ContainerFacts {
  const raw = (json ?? {}) as RawContainer
  const state = raw.State ?? {}
  const mounts = raw.Mounts ?? []
  return {
    id: raw.Id ?? '',
    name: plainName(raw.Name),
    labels: raw.Config?.Labels ?? {},
    state: state.Status ?? 'unknown',
    exitCode: state.ExitCode ?? 0,
    outOfMemory: state.OOMKilled === true,
    memoryBytes: raw.HostConfig?.Memory ?? 0,
    cpus: limitOf(raw.HostConfig?.NanoCpus, 1e9),
    pids: limitOf(raw.HostConfig?.PidsLimit),
    sharedMemoryBytes: limitOf(raw.HostConfig?.ShmSize),
    error: state.Error ?? '',
    startedAt: state.StartedAt ?? '',
    restarts: raw.RestartCount ?? 0,
    imageId: raw.Image ?? '',
    image: raw.Config?.Image ?? '',
    health: healthOf(state.Health?.Status),
    healthLog: failedChecks(state.Health?.Log ?? []),
    addresses: addressesOf(raw),
    hostPorts: Object.values(raw.HostConfig?.PortBindings ?? {}).flatMap(bindings =>
      (bindings ?? []).map(binding => binding.HostPort ?? ''),
    ),
    volumes: mounts.flatMap(({ Type, Name }) => (Type === 'volume' && Name ? [Name] : [])),
    writesVolumes: mounts.some(({ Type, RW }) => RW === true && Type !== 'tmpfs'),
    ownVolumes: mounts.some(({ Type, Name }) => Type === 'volume' && /^[0-9a-f]{64}$/.test(Name ?? '')),
  }
}

/** The engine writes "no limit" as null, 0 or -1. */
function limitOf(value: number | null | undefined, unit = 1): number | undefined {
  return value && value > 0 ? value / unit : undefined
}

function healthOf(status: string | undefined): ContainerFacts['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : 'none'
}

function failedChecks(log: readonly { ExitCode?: number; Output?: string }[]): string[] {
  return log
    .filter(entry => entry.ExitCode !== 0)
    .map(entry => `exit code ${entry.ExitCode}: ${(entry.Output ?? '').trim().slice(0, 2_000)}`)
}

/** A container that does not run has no address yet, but the one it will get is in its configuration. */
function addressesOf(raw: RawContainer): Record<string, string> {
  const networks = Object.entries(raw.NetworkSettings?.Networks ?? {})
  return Object.fromEntries(
    networks.map(([name, network]) => [name, network.IPAddress || network.IPAMConfig?.IPv4Address || '']),
  )
}

function plainName(name: string | undefined): string {
  return (name ?? '').replace(/^\//, '')
}
