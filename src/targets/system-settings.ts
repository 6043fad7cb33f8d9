import { createHash } from 'node:crypto'
import { type Static, Type } from 'typebox'
import {
  SnapshotName,
  SshKeyLine,
  SystemImage,
  SystemMoveData,
  SystemPackages,
  SystemShapeData,
  SystemSource,
} from '#commands/system-data.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import { keysHash, type SystemShape } from '#programs/incus-system.ts'

const strict = { additionalProperties: false } as const
const { memoryBytes, cpus, processes, snapshots } = SystemShapeData.properties
const Port = Type.Integer({ minimum: 1, maximum: 65_535 })

/** All that is wanted of a system container. Its owner is written down beside it: nothing on the host follows from that. */
export const SystemSettings = Type.Object(
  {
    image: SystemImage,
    /** Made of a backup: the image is what that was made of. */
    from: Type.Optional(SystemSource),
    memory_bytes: memoryBytes,
    cpus,
    processes,
    disk_bytes: Type.Optional(SystemShapeData.properties.diskBytes),
    /** What is installed at the first start: as the profile was when the system was made. */
    profile: Type.Optional(
      Type.Object({ name: Type.String({ maxLength: 40 }), packages: SystemPackages }, strict),
    ),
    /** Wanted: running or stopped. */
    running: Type.Boolean(),
    /** The member of the cluster that it is to be on; absent: where Incus puts it, and it stays. */
    member: Type.Optional(SystemMoveData.properties.member),
    /** Of the new start that was asked for last: a number that none before had. */
    restarts: Type.Integer({ minimum: 0 }),
    ports: Type.Array(
      Type.Object(
        {
          protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
          host: Port,
          container: Port,
          /** Addresses, networks and names of lists (`@github-hooks`); empty: everybody. */
          sources: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 200 }),
        },
        strict,
      ),
      { maxItems: 64 },
    ),
    /** A guardian keeps the firewall of the host, and has to open the ports. */
    guarded: Type.Boolean(),
    keys: Type.Array(SshKeyLine, { maxItems: 200 }),
    /** Names of the snapshots that people asked for. */
    snapshots: Type.Array(SnapshotName, { maxItems: 200 }),
    schedule: Type.Optional(Type.Object({ ...schedulePart() }, strict)),
    /** What it was brought back to last, with a number that no restore before had. */
    restore: Type.Optional(
      Type.Object(
        { snapshot: Type.String({ minLength: 1, maxLength: 64 }), count: Type.Integer({ minimum: 1 }) },
        strict,
      ),
    ),
  },
  strict,
)
export type SystemSettings = Static<typeof SystemSettings>

function schedulePart() {
  const { schedule, keepDays } = snapshots.properties
  return { cron: schedule, keep_days: keepDays }
}

/** Secret of the app of a system that is made of a backup: what opens that. */
export const BACKUP_KEY = 'BACKUP_KEY'

/** Port of the container at which its SSH server listens. */
export const SSH_PORT = 22

/** The shape as commands of the host take it. */
export function shapeOf(settings: SystemSettings): SystemShape {
  const { memory_bytes, disk_bytes, schedule, ports } = settings
  return {
    ...{ memoryBytes: memory_bytes, cpus: settings.cpus, processes: settings.processes },
    ...(disk_bytes === undefined ? {} : { diskBytes: disk_bytes }),
    ports: ports.map(({ protocol, host, container }) => ({ protocol, host, container })),
    ...(schedule ? { snapshots: { schedule: schedule.cron, keepDays: schedule.keep_days } } : {}),
  }
}

/** The same keys give the same text. */
export function keysHashOf({ keys }: Pick<SystemSettings, 'keys'>): string {
  return keysHash(keys)
}

export function shapeHash(shape: SystemShape): string {
  return createHash('sha256')
    .update(canonicalJson({ version: 1, shape }))
    .digest('hex')
}

/** Port of the host that leads to its SSH server. */
export function sshPortOf({ ports }: Pick<SystemSettings, 'ports'>): number | undefined {
  return ports.find(({ protocol, container }) => protocol === 'tcp' && container === SSH_PORT)?.host
}
