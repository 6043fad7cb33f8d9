import { type Static, Type } from 'typebox'
import { MemberName } from '#contract/cluster.ts'
import { ObservedDocument } from './apps.ts'
import { DeploymentDocument } from './deployments.ts'
import { DriftSummary } from './drift.ts'
import { HostName, Id, Nullable, strict, Time, Version } from './fields.ts'
import { BackupSchedule } from './system-backups.ts'
import { ProfileName } from './system-profiles.ts'

export const SystemNameField = Type.String({
  pattern: '^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$',
  description: 'Also its host name: begins with a letter; lower case letters, digits and "-" inside.',
})
const SnapshotName = Type.String({ pattern: '^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$' })
const Person = Type.String({ minLength: 1, maxLength: 200 })
const Port = Type.Integer({ minimum: 1, maximum: 65_535 })
const Protocol = Type.Union([Type.Literal('tcp'), Type.Literal('udp')])
const Sources = Type.Array(Type.String({ maxLength: 64 }), {
  maxItems: 200,
  description: 'Addresses, networks, and named lists such as "@github-hooks"; empty: everybody.',
})

const WantedPort = Type.Object(
  { protocol: Type.Optional(Protocol), container: Port, sources: Type.Optional(Sources) },
  strict,
)
const Schedule = Type.Object(
  {
    cron: Type.String({ pattern: '^[0-9*/, -]{9,60}$', description: 'Five fields, as cron has them.' }),
    keep_days: Type.Integer({ minimum: 1, maximum: 3_650 }),
  },
  strict,
)
const limits = {
  memory_bytes: Type.Integer({ minimum: 16_777_216 }),
  cpus: Type.Number({ minimum: 0.05, maximum: 512, description: 'So much time of processors.' }),
  processes: Type.Integer({ minimum: 10, maximum: 1_000_000 }),
  disk_bytes: Nullable(
    Type.Integer({ minimum: 16_777_216, description: 'null: as much as the storage pool has.' }),
  ),
}

export const NewSystem = Type.Object(
  {
    name: SystemNameField,
    host: Type.Optional(HostName),
    member: Type.Optional({
      ...MemberName,
      description: 'The member of the cluster of that host; left out: Incus chooses.',
    }),
    owner: Type.Optional({
      ...Person,
      description: 'E-mail address or id of another person whose it is to be. Of admins only.',
    }),
    image: Type.Optional(
      Type.String({
        pattern: '^(?:images:)?[a-zA-Z0-9](?:[a-zA-Z0-9._/-]{0,98}[a-zA-Z0-9])?$',
        description: 'Name of an image of the host, or of the image server of the host: "images:debian/12".',
      }),
    ),
    backup: Type.Optional({
      ...Id,
      description:
        'Made of this in place of an image, on its host. Limits that are not given are those of that day.',
    }),
    memory_bytes: Type.Optional({ ...limits.memory_bytes, default: 1_073_741_824 }),
    cpus: Type.Optional({ ...limits.cpus, default: 1 }),
    processes: Type.Optional({ ...limits.processes, default: 1_000 }),
    disk_bytes: Type.Optional(limits.disk_bytes),
    ports: Type.Optional(
      Type.Array(WantedPort, {
        maxItems: 63,
        description:
          'Of the container, to be reached from outside; each gets one of the host. SSH has one anyway.',
      }),
    ),
    schedule: Type.Optional(Schedule),
    profile: Type.Optional(ProfileName),
  },
  strict,
)
export type NewSystem = Static<typeof NewSystem>

export const SystemChange = Type.Object(
  {
    name: Type.Optional(SystemNameField),
    memory_bytes: Type.Optional(limits.memory_bytes),
    cpus: Type.Optional(limits.cpus),
    processes: Type.Optional(limits.processes),
    disk_bytes: Type.Optional(limits.disk_bytes),
    ports: Type.Optional(Type.Array(WantedPort, { maxItems: 63 })),
    schedule: Type.Optional(Nullable(Schedule)),
    member: Type.Optional({
      ...Nullable(MemberName),
      description: 'It is moved to this member of the cluster; null: it stays where it is.',
    }),
    backups: Type.Optional({
      ...Nullable(BackupSchedule),
      description: 'When backups are made; null: not by themselves.',
    }),
    owner: Type.Optional({
      ...Person,
      description:
        'E-mail address or id of whose it is from now on: their SSH keys are let in, no others. Of admins only.',
    }),
  },
  { ...strict, minProperties: 1, description: 'What is left out stays. A name comes alone.' },
)
export type SystemChange = Static<typeof SystemChange>

export const SystemDocument = Type.Object(
  {
    id: Id,
    name: SystemNameField,
    owner: { ...Person, description: 'What its owner is called now; "nobody": the account is gone.' },
    owner_id: Person,
    host: HostName,
    member: Nullable(
      Type.String({ description: 'Of the cluster: where it was last seen. null: there is no cluster.' }),
    ),
    wanted_member: Nullable(Type.String({ description: 'null: any.' })),
    image: Type.String(),
    wanted: Type.Enum(['running', 'stopped']),
    observed: ObservedDocument,
    drift: DriftSummary,
    ...limits,
    ports: Type.Array(
      Type.Object({ protocol: Protocol, host: Port, container: Port, sources: Sources }, strict),
    ),
    ssh: Nullable(
      Type.Object(
        {
          host: Type.String(),
          port: Port,
          command: Type.String({ description: 'Ready to be typed.' }),
        },
        strict,
      ),
    ),
    snapshots: Type.Array(SnapshotName, { description: 'Those that people asked for.' }),
    schedule: Nullable(Schedule),
    profile: Nullable({ ...ProfileName, description: 'What was installed at its first start.' }),
    backups: Nullable(BackupSchedule),
    deployment: Nullable(DeploymentDocument),
    version: Version,
    created_at: Time,
  },
  strict,
)
export type SystemDocument = Static<typeof SystemDocument>
export const SystemList = Type.Object({ items: Type.Array(SystemDocument) }, strict)
export type SystemList = Static<typeof SystemList>

export const SystemsQuery = Type.Object(
  {
    owner: Type.Optional({
      ...Person,
      description: 'Only those of this person: e-mail address or id. Who is no admin sees their own anyway.',
    }),
  },
  strict,
)
export const SystemPath = Type.Object({ system: SystemNameField }, strict)
export const DeleteSystemQuery = Type.Object(
  {
    confirm: Type.Optional(
      Type.String({ description: 'Its name once more: everything in it goes, snapshots too.' }),
    ),
  },
  strict,
)
export const NewSnapshot = Type.Object({ name: SnapshotName }, strict)
export const SnapshotPath = Type.Object({ system: SystemNameField, snapshot: SnapshotName }, strict)
export const RestoreBody = Type.Object(
  {
    snapshot: Type.String({
      pattern: '^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$',
      description: 'One that people asked for, or a scheduled one ("auto-0").',
    }),
  },
  strict,
)

export const SshKeyDocument = Type.Object(
  { id: Id, fingerprint: Type.String(), comment: Type.String(), line: Type.String(), created_at: Time },
  strict,
)
export type SshKeyDocument = Static<typeof SshKeyDocument>
export const SshKeyList = Type.Object({ items: Type.Array(SshKeyDocument) }, strict)
export type SshKeyList = Static<typeof SshKeyList>
export const SshKeysQuery = Type.Object(
  {
    owner: Type.Optional({
      ...Person,
      description: 'E-mail address or id of somebody else. Of admins only.',
    }),
  },
  strict,
)
export const NewSshKey = Type.Object(
  {
    key: Type.String({
      maxLength: 9_000,
      description: 'One line of a .pub file. Options in front are refused.',
    }),
  },
  strict,
)

const most = { minimum: 0, description: 'null: any number.' }
const quota = {
  systems: Nullable(Type.Integer(most)),
  cpus: Nullable(Type.Number(most)),
  memory_bytes: Nullable(Type.Integer(most)),
  disk_bytes: Nullable(Type.Integer(most)),
  ports: Nullable(Type.Integer(most)),
}
const whose = {
  kind: Type.Enum(['person', 'host']),
  name: Type.String({
    minLength: 1,
    maxLength: 200,
    description: 'A host, or the e-mail address or id of a person; "*": whoever has none of their own.',
  }),
}
export const QuotaPath = Type.Object(whose, strict)
export const QuotaBody = Type.Object(quota, strict)
export type QuotaBody = Static<typeof QuotaBody>
export const QuotaList = Type.Object(
  { items: Type.Array(Type.Object({ ...whose, ...quota }, strict)) },
  strict,
)
export type QuotaList = Static<typeof QuotaList>
