import { type Static, Type } from 'typebox'

/** What the command line tells the manager's program about backups, and what it answers: one JSON each way. */

const strict = { additionalProperties: false } as const
const Path = Type.String({ minLength: 1, maxLength: 4096 })
/** Of the file that the request names: opened already by who asks, where the program itself may not. */
const Descriptor = Type.Optional(Type.Integer({ minimum: 3 }))

/** What opens a backup: a passphrase, or identities of age. */
const Opening = Type.Object(
  { passphrase: Type.Optional(Type.String({ minLength: 1 })), identities: Type.Array(Type.String()) },
  strict,
)

const Create = Type.Object(
  {
    do: Type.Literal('create'),
    to: Path,
    descriptor: Descriptor,
    passphrase: Type.Optional(Type.String({ minLength: 1 })),
    recipients: Type.Array(Type.String()),
    /** Whether logs of deployments are in it. */
    logs: Type.Boolean(),
  },
  strict,
)
const Verify = Type.Object(
  { do: Type.Literal('verify'), from: Path, descriptor: Descriptor, opening: Opening },
  strict,
)
const Restore = Type.Object(
  {
    do: Type.Literal('restore'),
    from: Path,
    descriptor: Descriptor,
    opening: Opening,
    /** Folder of a manager as it was last: what that one no longer let in stays out. */
    since: Type.Optional(Path),
    /** URL of the database that this one had, where it was not in its folder. */
    sinceDatabase: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
    /** A person says that nothing was revoked since the backup was made. */
    nothingRevoked: Type.Boolean(),
    /** Hosts that are still trusted, where nobody knows what was revoked. */
    hosts: Type.Array(Type.String()),
    /** The key that the manager in the backup must have. */
    keyId: Type.Optional(Type.String()),
  },
  strict,
)

/** Makes a key for backups; nothing of the manager is read. */
const NewKey = Type.Object({ do: Type.Literal('key') }, strict)

/** What another manager on the same database needs besides it. */
const Export = Type.Object(
  {
    do: Type.Literal('export'),
    to: Path,
    descriptor: Descriptor,
    passphrase: Type.Optional(Type.String({ minLength: 1 })),
    recipients: Type.Array(Type.String()),
  },
  strict,
)
const Import = Type.Object(
  { do: Type.Literal('import'), from: Path, descriptor: Descriptor, opening: Opening },
  strict,
)

export const BackupRequest = Type.Union([Create, Verify, Restore, NewKey, Export, Import])
export type BackupRequest = Static<typeof BackupRequest>
export type CreateBackup = Static<typeof Create>
export type ExportKeys = Static<typeof Export>
export type ImportKeys = Static<typeof Import>
export type RestoreBackup = Static<typeof Restore>
export type VerifyBackup = Static<typeof Verify>
export type BackupOpening = Static<typeof Opening>

const BackedUpFile = Type.Object(
  {
    name: Type.String(),
    bytes: Type.Integer({ minimum: 0 }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  },
  strict,
)

/** The last file of a backup: what is in it. */
export const BackupManifest = Type.Object(
  {
    format: Type.Literal(1),
    made_at: Type.String(),
    /** Of the program that made it. */
    version: Type.String(),
    /** Of the manager whose it is. */
    key_id: Type.String(),
    /** The newest migration of the database. */
    schema: Type.String(),
    files: Type.Array(BackedUpFile),
  },
  strict,
)
export type BackupManifest = Static<typeof BackupManifest>

export interface BackupFacts extends Omit<BackupManifest, 'format' | 'files'> {
  readonly file: string
  /** Of the file. */
  readonly bytes: number
  readonly files: number
}

export interface RestoredFacts extends BackupFacts {
  readonly data: string
  readonly epoch: number
  /** Deployments that were under way when the backup was made. */
  readonly ended_deployments: number
  /** How many of each were shut out. */
  readonly shut_out: Readonly<Record<string, number>>
  /** The only token that works, where all others were shut out. */
  readonly token: string | null
}

export interface NewBackupKey {
  readonly identity: string
  readonly recipient: string
}
