/** On a service whose update was begun anew; no part of what anybody asked for. */
export const AGAIN_LABEL = 'io.fairlead.again'

/** Of the engine's own place in a swarm. */
export interface SwarmMembership {
  /** inactive, pending, active, error, locked */
  readonly state: string
  readonly isManager: boolean
  readonly nodeId: string
  /** Of the swarm; only a manager knows it. */
  readonly swarmId: string | undefined
  /** Why the engine cannot take part, in its own words. */
  readonly error: string
}

export interface SwarmNode {
  readonly id: string
  readonly name: string
  readonly address: string
  /** ready, down, disconnected, unknown */
  readonly state: string
  /** active, pause, drain */
  readonly availability: string
  readonly role: string
  readonly labels: Readonly<Record<string, string>>
}

export interface SwarmPort {
  readonly target: number
  readonly published: number
  readonly protocol: string
  readonly mode: string
}

export interface SwarmService {
  readonly id: string
  /** With the stack before it: shop_web. */
  readonly name: string
  readonly version: number
  readonly labels: Readonly<Record<string, string>>
  readonly image: string
  /** Undefined for one that runs once on each node. */
  readonly replicas: number | undefined
  /** The file says how its health is checked; an image may say so too. */
  readonly hasHealthCheck: boolean
  /** Whether a task that ended well is left alone. */
  readonly mayComplete: boolean
  /** What its containers are made from, as the engine holds it. */
  readonly containerSpec: unknown
  /** All that was asked for, but for what only begins something anew. */
  readonly spec: unknown
  /** As the engine gave it. */
  readonly whole: Readonly<Record<string, unknown>>
  readonly ports: readonly SwarmPort[]
  /** Of the last change of what runs; undefined when nothing had to be made anew. */
  readonly update: { readonly state: string; readonly message: string } | undefined
}

export interface SwarmTask {
  readonly id: string
  readonly serviceId: string
  readonly nodeId: string
  /** 0 for one of a service that runs on each node. */
  readonly slot: number
  readonly state: string
  readonly desired: string
  /** The engine's words on why it is not as wanted. */
  readonly error: string
  readonly exitCode: number | undefined
  readonly containerId: string
  readonly containerSpec: unknown
  readonly image: string
  readonly createdAt: string
}

/** A secret, a config or a network. */
export interface SwarmThing {
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

export function readMembership(json: unknown): SwarmMembership {
  const { Swarm = {} } = (json ?? {}) as {
    Swarm?: {
      LocalNodeState?: string
      ControlAvailable?: boolean
      NodeID?: string
      Error?: string
      Cluster?: { ID?: string } | null
    }
  }
  return {
    state: Swarm.LocalNodeState ?? 'inactive',
    isManager: Swarm.ControlAvailable === true,
    nodeId: Swarm.NodeID ?? '',
    swarmId: Swarm.Cluster?.ID,
    error: Swarm.Error ?? '',
  }
}

interface RawNode {
  ID?: string
  Spec?: { Availability?: string; Role?: string; Labels?: Record<string, string> | null }
  Description?: { Hostname?: string }
  Status?: { State?: string; Addr?: string }
}

export function readNode(json: unknown): SwarmNode {
  const raw = (json ?? {}) as RawNode
  return {
    id: raw.ID ?? '',
    name: raw.Description?.Hostname ?? '',
    address: raw.Status?.Addr ?? '',
    state: raw.Status?.State ?? 'unknown',
    availability: raw.Spec?.Availability ?? 'active',
    role: raw.Spec?.Role ?? '',
    labels: raw.Spec?.Labels ?? {},
  }
}

interface RawService {
  ID?: string
  Version?: { Index?: number }
  Spec?: {
    Name?: string
    Labels?: Record<string, string> | null
    TaskTemplate?: {
      ContainerSpec?: { Image?: string; Healthcheck?: { Test?: string[] | null } | null }
      RestartPolicy?: { Condition?: string }
      ForceUpdate?: number
    }
    Mode?: { Replicated?: { Replicas?: number } }
  }
  Endpoint?: {
    Ports?: { Protocol?: string; TargetPort?: number; PublishedPort?: number; PublishMode?: string }[] | null
  }
  UpdateStatus?: { State?: string; Message?: string }
}

export function readService(json: unknown): SwarmService {
  const raw = (json ?? {}) as RawService
  const template = raw.Spec?.TaskTemplate ?? {}
  const { ForceUpdate: _, ...steady } = template
  const { [AGAIN_LABEL]: __, ...labels } = raw.Spec?.Labels ?? {}
  const replicated = raw.Spec?.Mode?.Replicated
  const update = raw.UpdateStatus?.State
    ? { state: raw.UpdateStatus.State, message: raw.UpdateStatus.Message ?? '' }
    : undefined
  return {
    id: raw.ID ?? '',
    name: raw.Spec?.Name ?? '',
    version: raw.Version?.Index ?? 0,
    labels,
    image: template.ContainerSpec?.Image ?? '',
    replicas: replicated ? (replicated.Replicas ?? 1) : undefined,
    hasHealthCheck: (template.ContainerSpec?.Healthcheck?.Test ?? []).length > 1,
    mayComplete: ['none', 'on-failure'].includes(template.RestartPolicy?.Condition ?? 'any'),
    containerSpec: template.ContainerSpec,
    spec: { ...raw.Spec, Labels: labels, TaskTemplate: steady },
    whole: { ...raw.Spec },
    ports: (raw.Endpoint?.Ports ?? []).map(port => ({
      target: port.TargetPort ?? 0,
      published: port.PublishedPort ?? 0,
      protocol: port.Protocol ?? 'tcp',
      mode: port.PublishMode ?? 'ingress',
    })),
    update,
  }
}

interface RawTask {
  ID?: string
  ServiceID?: string
  NodeID?: string
  Slot?: number
  CreatedAt?: string
  DesiredState?: string
  Spec?: { ContainerSpec?: { Image?: string } }
  Status?: {
    State?: string
    Err?: string
    Message?: string
    ContainerStatus?: { ContainerID?: string; ExitCode?: number }
  }
}

export function readTask(json: unknown): SwarmTask {
  const raw = (json ?? {}) as RawTask
  const { State = '', Err = '', ContainerStatus } = raw.Status ?? {}
  return {
    id: raw.ID ?? '',
    serviceId: raw.ServiceID ?? '',
    nodeId: raw.NodeID ?? '',
    slot: raw.Slot ?? 0,
    state: State,
    desired: raw.DesiredState ?? '',
    error: Err,
    exitCode: ContainerStatus?.ExitCode,
    containerId: ContainerStatus?.ContainerID ?? '',
    containerSpec: raw.Spec?.ContainerSpec,
    image: raw.Spec?.ContainerSpec?.Image ?? '',
    createdAt: raw.CreatedAt ?? '',
  }
}

interface RawThing {
  ID?: string
  Id?: string
  Name?: string
  Labels?: Record<string, string> | null
  Spec?: { Name?: string; Labels?: Record<string, string> | null }
}

export function readThing(json: unknown): SwarmThing {
  const raw = (json ?? {}) as RawThing
  return {
    id: raw.ID ?? raw.Id ?? '',
    name: raw.Spec?.Name ?? raw.Name ?? '',
    labels: raw.Spec?.Labels ?? raw.Labels ?? {},
  }
}
