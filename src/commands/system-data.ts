import { type Static, Type } from 'typebox'
import { MemberName, SeenMember } from '#contract/cluster.ts'
import { DeploymentId } from './container-data.ts'

const strict = { additionalProperties: false } as const
const Port = Type.Integer({ minimum: 1, maximum: 65_535 })

/** Also its host name, so it begins with a letter. */
export const SystemName = Type.String({ pattern: '^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$' })
export const SystemId = Type.String({ pattern: '^[0-9a-f-]{36}$' })
/** Of this host, or of a server (`images:debian/12`). */
export const SystemImage = Type.String({
  pattern: '^(?:images:)?[a-zA-Z0-9](?:[a-zA-Z0-9._/-]{0,98}[a-zA-Z0-9])?$',
})
/** One line without options, as policy/ssh-key.ts gives it. */
export const SshKeyLine = Type.String({
  pattern: '^(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]{2,60} [A-Za-z0-9+/]{20,8000}={0,2}$',
})
export const SnapshotName = Type.String({ pattern: '^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$' })

export const SystemShapeData = Type.Object(
  {
    memoryBytes: Type.Integer({ minimum: 16 * 1024 * 1024 }),
    cpus: Type.Number({ minimum: 0.05, maximum: 512 }),
    processes: Type.Integer({ minimum: 10, maximum: 1_000_000 }),
    diskBytes: Type.Optional(Type.Integer({ minimum: 16 * 1024 * 1024 })),
    ports: Type.Array(
      Type.Object(
        {
          protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
          host: Port,
          container: Port,
        },
        strict,
      ),
      { maxItems: 64 },
    ),
    snapshots: Type.Optional(
      Type.Object(
        {
          schedule: Type.String({ pattern: '^[0-9*/, -]{9,60}$' }),
          keepDays: Type.Integer({ minimum: 1, maximum: 3_650 }),
        },
        strict,
      ),
    ),
  },
  strict,
)

const Whose = { id: SystemId, name: SystemName }
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' })

export const SystemObserveData = Type.Object({ ...Whose, image: SystemImage }, strict)

const Recipient = Type.String({ pattern: '^age1[a-z0-9]{50,120}$' })
const KeptFrom = { backup: SystemId, sha256: Hash }
/** What a system can be made of in place of an image. */
export const SystemSource = Type.Object(KeptFrom, strict)
export const KeptBackup = Type.Object({ bytes: Type.Integer(), sha256: Hash }, strict)
export const SystemBackupData = Type.Object(
  {
    ...{ ...Whose, backup: SystemId },
    recipients: Type.Array(Recipient, { minItems: 1, maxItems: 4 }),
    maxBytes: Type.Integer({ minimum: 1 }),
  },
  strict,
)
export const SystemSendBackupData = Type.Object({ backup: SystemId }, strict)
export const SystemTakeBackupData = Type.Object(
  { backup: SystemId, bytes: Type.Integer({ minimum: 1 }), sha256: Hash },
  strict,
)
export const SystemForgetBackupData = Type.Object({ backup: SystemId }, strict)

export const SystemCreateData = Type.Object(
  {
    ...{ ...Whose, deployment: DeploymentId, image: SystemImage, shape: SystemShapeData, configHash: Hash },
    /** Made of a backup in place of the image. */
    from: Type.Optional(
      Type.Object({ ...KeptFrom, identity: Type.String({ secret: true, maxLength: 200 }) }, strict),
    ),
    /** Number of restores that were asked for of one that was there before: they are over. */
    restored: Type.Integer({ minimum: 0 }),
    /** On which member of the cluster; absent: Incus chooses. */
    member: Type.Optional(MemberName),
  },
  strict,
)
export type SystemCreateData = Static<typeof SystemCreateData>

export const SystemResizeData = Type.Object(
  { ...Whose, deployment: DeploymentId, shape: SystemShapeData, configHash: Hash },
  strict,
)
export type SystemResizeData = Static<typeof SystemResizeData>

export const SystemMoveData = Type.Object({ ...Whose, member: MemberName, deployment: DeploymentId }, strict)

export const SystemRenameData = Type.Object(Whose, strict)

export const SystemKeysData = Type.Object(
  { ...Whose, keys: Type.Array(SshKeyLine, { maxItems: 200 }) },
  strict,
)

/** As Debian calls it. */
export const SystemPackage = Type.String({ pattern: '^[a-z0-9][a-z0-9+.-]{1,79}$' })
export const SystemPackages = Type.Array(SystemPackage, { maxItems: 60, uniqueItems: true })
export const SystemInstallData = Type.Object({ ...Whose, packages: SystemPackages }, strict)

export const SystemStartData = Type.Object(
  {
    ...Whose,
    /** Number of restarts that people have asked for: another one than it was started with starts it anew. */
    restarts: Type.Integer({ minimum: 0 }),
    deployment: DeploymentId,
  },
  strict,
)

export const SystemStopData = Type.Object({ ...Whose, deployment: Type.Optional(DeploymentId) }, strict)

export const SystemVerifyData = Type.Object(
  {
    ...Whose,
    configHash: Hash,
    running: Type.Boolean(),
    /** Port of this host at which its SSH server has to answer. */
    ssh: Type.Optional(Port),
    withinMs: Type.Integer({ minimum: 0, maximum: 600_000 }),
    /** The member of the cluster that it has to be on; absent: any. */
    member: Type.Optional(MemberName),
    /** For whoever compares what runs later. */
    mustRun: Type.Array(Type.String(), { maxItems: 1 }),
  },
  strict,
)
export type SystemVerifyData = Static<typeof SystemVerifyData>

export const SystemDeleteData = Type.Object(
  {
    id: SystemId,
    /** What it is called, for what is on a member that does not answer; absent: told by a manager of an older release. */
    name: Type.Optional(SystemName),
    /** Only when this deployment made it. */
    madeBy: Type.Optional(DeploymentId),
  },
  strict,
)

const Side = Type.Integer({ minimum: 1, maximum: 1_000 })
export const SystemConsoleData = Type.Object({ ...Whose, columns: Side, rows: Side }, strict)

export const SystemSnapshotData = Type.Object({ ...Whose, snapshot: SnapshotName }, strict)

export const SystemRestoreData = Type.Object(
  {
    ...Whose,
    deployment: DeploymentId,
    snapshot: SnapshotName,
    /** Number of restores that people have asked for. */
    restored: Type.Integer({ minimum: 1 }),
    shape: SystemShapeData,
    configHash: Hash,
  },
  strict,
)
export type SystemRestoreData = Static<typeof SystemRestoreData>

const SeenSystem = Type.Object(
  {
    name: Type.String(),
    status: Type.String(),
    /** It was made to the end. */
    isWhole: Type.Boolean(),
    /** As the deployment that is named there left it. */
    configHash: Type.String(),
    deployment: Type.String(),
    keysHash: Type.String(),
    restarts: Type.Integer(),
    restored: Type.Integer(),
    createdAt: Type.String(),
    /** The member of the cluster that it is on; absent: there is no cluster, or the worker is of an older release. */
    member: Type.Optional(Type.String()),
    /** Of what was installed at its first start; absent: nothing was. */
    packagesHash: Type.Optional(Type.String()),
    /** Its limits and ports, by names for people. */
    parts: Type.Record(Type.String(), Type.String()),
    snapshots: Type.Array(Type.Object({ name: Type.String(), createdAt: Type.String() }, strict)),
  },
  strict,
)
export type SeenSystem = Static<typeof SeenSystem>

export const SystemObserved = Type.Object(
  {
    system: Type.Union([SeenSystem, Type.Null()]),
    /** Another container has the name. */
    isTaken: Type.Boolean(),
    image: Type.Union([Type.String(), Type.Null()]),
    images: Type.Array(Type.String()),
    pool: Type.String(),
    /** null: there is no such pool. */
    driver: Type.Union([Type.String(), Type.Null()]),
    place: Type.Object({ pool: Type.String(), network: Type.String(), address: Type.String() }, strict),
    host: Type.String(),
    /** This worker can install packages; one of an older release says nothing. */
    installs: Type.Optional(Type.Boolean()),
    /** The cluster that its Incus daemon is in. */
    cluster: Type.Optional(Type.Object({ members: Type.Array(SeenMember) }, strict)),
  },
  strict,
)
export type SystemObserved = Static<typeof SystemObserved>
