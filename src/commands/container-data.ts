import { type Static, Type } from 'typebox'
import { IMAGE_REFERENCE_PATTERN } from '#formats/image-reference.ts'

const strict = { additionalProperties: false } as const

/** Labels of everything that a deployment leaves on a host: what is whose, and from what it was made. */
export const LABEL = {
  app: 'io.fairlead.app',
  deployment: 'io.fairlead.deployment',
  commit: 'io.fairlead.commit',
  /** Hash of all settings that decide what runs. */
  config: 'io.fairlead.config',
  /** 0 or 1: which of the app's two addresses the container has. */
  slot: 'io.fairlead.slot',
  tree: 'io.fairlead.tree',
} as const

/** What a container that may sleep says of itself. */
export const SLEEP_LABEL = {
  /** Seconds without work after which it is stopped. */
  idle: 'dev.nb.idle',
  /** Seconds after which it is stopped though somebody works with it. */
  most: 'dev.nb.most',
  /** Path that its server is asked below; absent: `/`. */
  base: 'dev.nb.base',
} as const
/** The state of a container that was stopped because nobody worked with it: a visitor wakes it. */
export const ASLEEP = 'asleep'

export const AppName = Type.String({ pattern: '^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$' })
export const DeploymentId = Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$' })
export const CommitId = Type.String({ pattern: '^[0-9a-f]{40}(?:[0-9a-f]{24})?$' })
export const ImageName = Type.String({ pattern: IMAGE_REFERENCE_PATTERN, maxLength: 512 })
const Port = Type.Integer({ minimum: 1, maximum: 65_535 })
const Milliseconds = Type.Integer({ minimum: 0, maximum: 3_600_000 })

export const Volume = Type.Object(
  {
    /** Of the app; on the host it is `<app>-<name>`. */
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9_.-]{0,62}$' }),
    path: Type.String({ pattern: '^/(?!\\.{1,2}(?:/|$))[^:\\0\\n]{1,255}$' }),
    readOnly: Type.Optional(Type.Boolean()),
    /** The program copes with a second container writing to it: then old and new may run side by side. */
    shared: Type.Optional(Type.Boolean()),
  },
  strict,
)

export const PublishedPortData = Type.Object(
  {
    host: Port,
    container: Port,
    protocol: Type.Optional(Type.Union([Type.Literal('tcp'), Type.Literal('udp')])),
    address: Type.Optional(Type.String({ format: 'ipv4' })),
  },
  strict,
)

export const HealthData = Type.Object(
  {
    /** Path that answers 2xx or 3xx when the app is ready. */
    http: Type.Optional(Type.String({ pattern: '^/[!-~]{0,1023}$' })),
    withinMs: Milliseconds,
    /** Longest pause between two checks. */
    intervalMs: Type.Optional(Type.Integer({ minimum: 10, maximum: 60_000 })),
    /** Without a port and a health check: how long it must run. */
    settleMs: Type.Optional(Milliseconds),
  },
  strict,
)

/** For a program whose users may run anything in it: no capability, not started by the engine, secrets in memory only. */
const SandboxData = Type.Object(
  {
    /** Folders in memory that may be written to, whatever the image says. */
    memoryFolders: Type.Array(
      Type.Object(
        {
          path: Type.String({ pattern: '^/[a-z][A-Za-z0-9_./-]{0,100}$' }),
          /** Whose it is; root's when nobody is named. */
          uid: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
          bytes: Type.Integer({ minimum: 4_096 }),
        },
        strict,
      ),
      { maxItems: 8 },
    ),
    sharedMemoryBytes: Type.Optional(Type.Integer({ minimum: 1_048_576 })),
    /** It gets a token of its own, made on this host, as the file that container-token.ts names. */
    token: Type.Boolean(),
  },
  strict,
)

export const ContainerStartData = Type.Object(
  {
    app: AppName,
    deployment: DeploymentId,
    commit: CommitId,
    configHash: Type.String({ pattern: '^[0-9a-f]{16,64}$' }),
    /** What runs now according to the manager; the switchboard of the host knows better where the app is routed. */
    previous: Type.Optional(DeploymentId),
    image: ImageName,
    environment: Type.Record(
      Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,127}$' }),
      Type.String({ secret: true, maxLength: 65_536 }),
    ),
    command: Type.Optional(Type.Array(Type.String({ maxLength: 4_096 }), { minItems: 1, maxItems: 100 })),
    port: Type.Optional(Port),
    health: HealthData,
    volumes: Type.Array(Volume, { maxItems: 32 }),
    ports: Type.Array(PublishedPortData, { maxItems: 32 }),
    memoryBytes: Type.Optional(Type.Integer({ minimum: 6 * 1024 * 1024 })),
    cpus: Type.Optional(Type.Number({ minimum: 0.01, maximum: 512 })),
    pids: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
    user: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$' }),
    ),
    readOnly: Type.Optional(Type.Boolean()),
    sandbox: Type.Optional(SandboxData),
    /** More labels, such as `dev.nb.project`. */
    labels: Type.Optional(
      Type.Record(Type.String({ pattern: '^dev\\.nb\\.[a-z]{1,20}$' }), Type.String({ maxLength: 1_024 })),
    ),
    stopGraceSeconds: Type.Integer({ minimum: 0, maximum: 600 }),
  },
  strict,
)
export type ContainerStartData = Static<typeof ContainerStartData>

/** healthy: its own check passed; answering: the port answers; running: it has neither, and kept running. */
export const StartedHealth = Type.Union([
  Type.Literal('healthy'),
  Type.Literal('answering'),
  Type.Literal('running'),
])
export type StartedHealth = Static<typeof StartedHealth>

export const ContainerStartResult = Type.Object(
  {
    containerId: Type.String(),
    name: Type.String(),
    ip: Type.String(),
    imageId: Type.String(),
    /** `host/repository@sha256:…`, when the image is in a registry. */
    digest: Type.Optional(Type.String()),
    health: StartedHealth,
    startedAt: Type.String(),
    /** false: this deployment had started it before. */
    started: Type.Boolean(),
  },
  strict,
)

export const ObservedContainer = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    deployment: Type.String(),
    commit: Type.String(),
    configHash: Type.String(),
    state: Type.String(),
    health: Type.Union([
      Type.Literal('none'),
      Type.Literal('starting'),
      Type.Literal('healthy'),
      Type.Literal('unhealthy'),
    ]),
    exitCode: Type.Integer(),
    restarts: Type.Integer(),
    image: Type.String(),
    imageId: Type.String(),
    digest: Type.Optional(Type.String()),
    ip: Type.String(),
    startedAt: Type.String(),
    /** It has volumes without a name, which go with it. */
    ownVolumes: Type.Optional(Type.Boolean()),
    /** The switchboard sends the app's requests to it. */
    serving: Type.Boolean(),
  },
  strict,
)
export type ObservedContainer = Static<typeof ObservedContainer>
