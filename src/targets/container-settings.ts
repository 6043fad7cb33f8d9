import { type Static, Type } from 'typebox'
import { ImagePath } from '#commands/image-data.ts'
import { BuildSettings, Scalar } from './build-settings.ts'
import { OPEN_SETTINGS } from './published.ts'
import { VerifySettings } from './verify-settings.ts'

const strict = { additionalProperties: false } as const

const DURATION = '^[0-9]{1,6}(?:ms|s|m|h)$'
export const Duration = Type.String({
  pattern: DURATION,
  description: 'For example 500ms, 30s, 2m.',
})
const Port = Type.Integer({ minimum: 1, maximum: 65_535 })
export const Domain = Type.String({
  pattern:
    '^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$',
  maxLength: 253,
})
export const Memory = Type.String({
  pattern: '^[1-9][0-9]{0,8}[kKmMgG]?$',
  description: 'For example 256m or 1g.',
})

const Volume = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9_.-]{0,62}$', description: 'A named volume of this app.' }),
    path: Type.String({
      pattern: '^/(?!\\.{1,2}(?:/|$))[^:\\0\\n]{1,255}$',
      description: 'Where it is inside the container.',
    }),
    read_only: Type.Optional(Type.Boolean()),
    shared: Type.Optional(
      Type.Boolean({
        description:
          'Old and new container may write to it at once: then a deployment interrupts nothing. Otherwise the old one is stopped first.',
      }),
    ),
  },
  strict,
)

const PublishedPort = Type.Object(
  {
    host: Port,
    container: Port,
    protocol: Type.Optional(Type.Union([Type.Literal('tcp'), Type.Literal('udp')])),
    address: Type.Optional(
      Type.String({ format: 'ipv4', description: 'Address of the host to listen on; default: all.' }),
    ),
    ...OPEN_SETTINGS,
  },
  strict,
)

const Health = Type.Object(
  {
    http: Type.Optional(
      Type.String({
        pattern: '^/[!-~]{0,1023}$',
        description: 'Path that answers with 2xx or 3xx when the app is ready.',
      }),
    ),
    within: Type.Optional(Duration),
    interval: Type.Optional(Duration),
  },
  strict,
)

export const ContainerSettings = Type.Object(
  {
    ...BuildSettings,
    image_name: Type.Optional(ImagePath),
    port: Type.Optional(
      Type.Integer({
        ...{ minimum: 1, maximum: 65_535 },
        description: 'Port that the app listens on; default: the first that EXPOSE names.',
      }),
    ),
    domain: Type.Optional(Domain),
    domains: Type.Optional(
      Type.Array(Domain, {
        maxItems: 50,
        description: 'An empty list: the app is not reachable through the proxy.',
      }),
    ),
    environment: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,127}$' }), Scalar, {
        description: 'A value "$NAME" is the secret of that name.',
      }),
    ),
    command: Type.Optional(Type.Array(Type.String({ maxLength: 4_096 }), { minItems: 1, maxItems: 100 })),
    volumes: Type.Optional(Type.Array(Volume, { maxItems: 32 })),
    ports: Type.Optional(
      Type.Array(PublishedPort, { maxItems: 32, description: 'Ports of the host, for what is not HTTP.' }),
    ),
    health: Type.Optional(Health),
    verify: Type.Optional(VerifySettings),
    memory: Type.Optional(Memory),
    cpus: Type.Optional(Type.Number({ minimum: 0.01, maximum: 512 })),
    pids: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
    user: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$' }),
    ),
    read_only: Type.Optional(
      Type.Boolean({ description: 'The file system of the image cannot be written to; /tmp can.' }),
    ),
    stop_grace: Type.Optional(Duration),
    drain: Type.Optional(
      Type.String({
        pattern: DURATION,
        description:
          'How long a replaced container may finish requests before it is stopped; default: 5s. It is stopped as soon as none is open.',
      }),
    ),
  },
  strict,
)
export type ContainerSettings = Static<typeof ContainerSettings>

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const
const UNIT_BYTES = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 } as const

/** `500ms`, `30s`, `2m`, `1h` in milliseconds. */
export function milliseconds(text: string): number {
  const [, number, unit] = /^([0-9]+)(ms|s|m|h)$/.exec(text) ?? []
  return Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS]
}

/** `256m` in bytes. */
export function bytes(text: string): number {
  const [, number, unit = ''] = /^([0-9]+)([kmg]?)$/.exec(text.toLowerCase()) ?? []
  return Number(number) * UNIT_BYTES[unit as keyof typeof UNIT_BYTES]
}
