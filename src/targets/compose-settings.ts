import { type Static, Type } from 'typebox'
import { ProjectName, ServiceName, VariableName } from '#commands/compose-data.ts'
import { TreePath } from '#commands/image-data.ts'
import { DURATION_PATTERN } from '#lib/duration.ts'
import { FollowImages } from './followed-tags.ts'
import { OPEN_SETTINGS } from './published.ts'
import { VerifySettings } from './verify-settings.ts'

const strict = { additionalProperties: false } as const

const Scalar = Type.Union([Type.String({ maxLength: 65_536 }), Type.Number(), Type.Boolean()])
const Domain = Type.String({
  pattern:
    '^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$',
  maxLength: 253,
})

const Route = Type.Object(
  {
    service: ServiceName,
    port: Type.Integer({
      minimum: 1,
      maximum: 65_535,
      description: 'Port of the container; it need not be published.',
    }),
    domain: Type.Optional(Domain),
    domains: Type.Optional(Type.Array(Domain, { minItems: 1, maxItems: 50 })),
  },
  strict,
)

const OpenPort = Type.Object(
  {
    port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'Of the host.' }),
    protocol: Type.Optional(Type.Union([Type.Literal('tcp'), Type.Literal('udp')])),
    from: OPEN_SETTINGS.from,
  },
  strict,
)

export const ComposeSettings = Type.Object(
  {
    files: Type.Optional(
      Type.Array(TreePath, {
        minItems: 1,
        maxItems: 10,
        description: 'From the root of the repository, merged in this order; default: compose.yaml.',
      }),
    ),
    project: Type.Optional(ProjectName),
    environment: Type.Optional(
      Type.Record(VariableName, Scalar, {
        description:
          'Variables for ${NAME} in the Compose files. A value "$NAME" is the secret of that name.',
      }),
    ),
    routes: Type.Optional(
      Type.Array(Route, {
        maxItems: 50,
        description:
          'Services that the proxy leads to; default: the first that exposes one port. An empty list: none.',
      }),
    ),
    ports: Type.Optional(
      Type.Array(OpenPort, {
        maxItems: 32,
        description: 'Ports that the Compose files publish and that the guardian of the host is to open.',
      }),
    ),
    push: Type.Optional(
      Type.Boolean({ description: 'Push built images to the registry, when there is one; default: true.' }),
    ),
    follow_images: FollowImages,
    verify: Type.Optional(VerifySettings),
    shared_volumes: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 1_024 }), {
        maxItems: 100,
        description:
          'Volumes, or paths in containers, that old and new container may write to at once: then a deployment interrupts nothing.',
      }),
    ),
    drain: Type.Optional(
      Type.String({
        pattern: DURATION_PATTERN,
        description:
          'How long a replaced container may finish requests before it is stopped; default: 5s. Behind the proxy it is stopped as soon as none is open.',
      }),
    ),
  },
  strict,
)
export type ComposeSettings = Static<typeof ComposeSettings>
