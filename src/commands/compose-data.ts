import { type Static, Type } from 'typebox'
import { trimEnd } from '#lib/trim-end.ts'
import { BuildArgs, BuildTarget, TreePath } from './image-data.ts'
import { RouteName } from './route-name.ts'

const strict = { additionalProperties: false } as const

/** As Compose wants it; containers, networks and volumes are named after it. */
/** Of every container, network and volume that Compose makes. */
export const PROJECT_LABEL = 'com.docker.compose.project'
export const ProjectName = Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' })
export const ServiceName = Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$' })
export const VariableName = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' })
/** sha256 of a rendered configuration, by which it is found on the host. */
export const RenderHash = Type.String({ pattern: '^[0-9a-f]{64}$' })
const Port = Type.Integer({ minimum: 1, maximum: 65_535 })

/** Ids of containers that somebody changed by hand: they do not count, although their labels say that they are as wanted. */
export const Remade = Type.Optional(
  Type.Array(Type.String({ pattern: '^[0-9a-f]{12,64}$' }), { maxItems: 1_000 }),
)

/** A file or folder that services mount, by its content (compose-mounted.ts). */
export const MountName = Type.String({ pattern: '^(?:value-)?[0-9a-f]{40,64}$' })

export const RouteWish = Type.Object({ service: ServiceName, port: Port }, strict)

/** A route with the name and the two addresses by which the proxy knows it. */
export const RoutePlace = Type.Object(
  {
    service: ServiceName,
    port: Port,
    name: RouteName,
    slots: Type.Tuple([Type.String({ maxLength: 45 }), Type.String({ maxLength: 45 })]),
  },
  strict,
)
export type RoutePlace = Static<typeof RoutePlace>

/** The name by which the proxy and the switchboard know a service. */
export function routeNameOf(service: string, app: string): string {
  const name = service.toLowerCase().replace(/[^a-z0-9_-]/g, '-')
  return `${trimEnd(name, '-_')}.${app}`
}

export const FindingData = Type.Object(
  {
    rule: Type.String(),
    severity: Type.Union([Type.Literal('error'), Type.Literal('warning')]),
    path: Type.String(),
    message: Type.String(),
    fix: Type.String(),
    file: Type.Optional(Type.String()),
    line: Type.Optional(Type.Integer()),
    column: Type.Optional(Type.Integer()),
  },
  strict,
)

export const ServiceBuild = Type.Object(
  {
    /** Both from the root of the repository. */
    context: TreePath,
    dockerfile: TreePath,
    args: BuildArgs,
    target: Type.Optional(BuildTarget),
    /** Id of the secret in the build -> name of the app's variable that holds it. */
    secrets: Type.Record(Type.String(), VariableName),
  },
  strict,
)
export type ServiceBuild = Static<typeof ServiceBuild>

export const RenderedService = Type.Object(
  {
    /** Of all that decides what runs, but for an image that is yet to be built: see deployedHash. */
    hash: RenderHash,
    image: Type.Optional(Type.String()),
    build: Type.Optional(ServiceBuild),
    /** Services that are made anew when this one is. */
    dependsOn: Type.Array(Type.String()),
    replicas: Type.Integer({ minimum: 0 }),
    /** Its restart policy lets it end with 0 and have done its work; a routed service must run all the same. */
    mayComplete: Type.Boolean(),
    /** Why its new container cannot run beside the old one. */
    alone: Type.Array(Type.String()),
    /** Host ports it publishes. */
    ports: Type.Array(
      Type.Object(
        {
          ...{ published: Type.String(), target: Type.Integer() },
          protocol: Type.Optional(Type.String()),
          /** Of the host that it listens on; all when absent. */
          address: Type.Optional(Type.String()),
        },
        strict,
      ),
    ),
  },
  strict,
)
export type RenderedService = Static<typeof RenderedService>

export const ComposeContainer = Type.Object(
  {
    service: Type.String(),
    id: Type.String(),
    name: Type.String(),
    state: Type.String(),
    health: Type.Union([
      Type.Literal('none'),
      Type.Literal('starting'),
      Type.Literal('healthy'),
      Type.Literal('unhealthy'),
    ]),
    exitCode: Type.Integer(),
    restarts: Type.Integer(),
    startedAt: Type.String(),
    /** The label that deployedHash is compared with; empty for a container that somebody else made. */
    configHash: Type.String(),
    image: Type.String(),
    imageId: Type.String(),
    /** It has volumes without a name, which only a container made in its place takes over. */
    ownVolumes: Type.Boolean(),
    /** Host ports that are bound for it; '' for one that the engine chose. */
    hostPorts: Type.Optional(Type.Array(Type.String())),
    /** What the reference means on this host now: another id says that the container is outdated. */
    currentImageId: Type.Optional(Type.String()),
    /** `host/repository@sha256:…`, when the image is in a registry. */
    digest: Type.Optional(Type.String()),
    /** Its address in the proxy's network. */
    ip: Type.Optional(Type.String()),
  },
  strict,
)
export type ComposeContainer = Static<typeof ComposeContainer>
