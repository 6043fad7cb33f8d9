import { type Static, Type } from 'typebox'
import { FindingData, ProjectName, RenderHash, ServiceBuild } from './compose-data.ts'

const strict = { additionalProperties: false } as const

/** As for Compose projects: services, networks and volumes are named after it. */
export const StackName = ProjectName

export const StackPort = Type.Object(
  {
    target: Type.Integer(),
    published: Type.Integer(),
    protocol: Type.String(),
    /** ingress: every node answers; host: the nodes that run a task. */
    mode: Type.String(),
  },
  strict,
)
export type StackPort = Static<typeof StackPort>

export const StackService = Type.Object(
  {
    /** Of all that decides what runs, but for an image that is yet to be built. */
    hash: RenderHash,
    image: Type.Optional(Type.String()),
    build: Type.Optional(ServiceBuild),
    /** Absent: one on each node. */
    replicas: Type.Optional(Type.Integer({ minimum: 0 })),
    ports: Type.Array(StackPort),
    /** Old and new task run side by side while it is updated. */
    isBeside: Type.Boolean(),
    /** Named volumes, which are on one node only. */
    volumes: Type.Array(Type.String()),
  },
  strict,
)
export type StackService = Static<typeof StackService>

export const StackRender = Type.Object(
  {
    render: RenderHash,
    services: Type.Record(Type.String(), StackService),
    /** What the host changed or ignores. */
    findings: Type.Array(FindingData),
    warnings: Type.Array(Type.String()),
  },
  strict,
)
export type StackRender = Static<typeof StackRender>

export const SwarmNodeData = Type.Object(
  {
    name: Type.String(),
    /** ready, down, disconnected */
    state: Type.String(),
    /** active, pause, drain */
    availability: Type.String(),
  },
  strict,
)
export type SwarmNodeData = Static<typeof SwarmNodeData>

export const SwarmServiceData = Type.Object(
  {
    /** Without the stack's name before it. */
    name: Type.String(),
    id: Type.String(),
    /** Counts every change of the service. */
    version: Type.Integer(),
    image: Type.String(),
    configHash: Type.String(),
    /** Of everything that was asked for: another one says that somebody changed it. Made with a key of the host. */
    fingerprint: Type.String(),
    replicas: Type.Optional(Type.Integer()),
    /** Tasks of it that run as it is now. */
    running: Type.Integer(),
    /** Names of the nodes that they run on, one for each. */
    nodes: Type.Array(Type.String()),
    /** As many as wanted run, healthy, and no update is under way. */
    isSettled: Type.Boolean(),
    /** What is not as it should be, in words. */
    problem: Type.Optional(Type.String()),
  },
  strict,
)
export type SwarmServiceData = Static<typeof SwarmServiceData>
