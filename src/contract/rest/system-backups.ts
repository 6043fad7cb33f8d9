import { type Static, Type } from 'typebox'
import { HostName, Id, Nullable, strict, Time } from './fields.ts'

export const BackupDocument = Type.Object(
  {
    id: Id,
    system: Type.String({ description: 'What it was called then.' }),
    owner: Type.String(),
    owner_id: Type.String(),
    host: Type.String({ description: 'Where its file is.' }),
    image: Type.String({ description: 'What the system was made of.' }),
    state: Type.Enum(['making', 'kept', 'failed', 'going'], {
      description: 'going: its file is deleted as soon as its host can be reached.',
    }),
    scheduled: Type.Boolean(),
    copy_of: Nullable(Type.String({ description: 'The backup of another host that it is a copy of.' })),
    bytes: Nullable(Type.Integer({ description: 'Of the encrypted file.' })),
    sha256: Nullable(Type.String({ description: 'Of the encrypted file.' })),
    reason: Nullable(Type.String({ description: 'Why it failed.' })),
    created_at: Time,
    ended_at: Nullable(Time),
  },
  strict,
)
export type BackupDocument = Static<typeof BackupDocument>
export const BackupList = Type.Object({ items: Type.Array(BackupDocument) }, strict)
export type BackupList = Static<typeof BackupList>
export const BackupPath = Type.Object({ backup: Id }, strict)
export const NewBackupCopy = Type.Object({ host: HostName }, strict)
export const BackupsQuery = Type.Object(
  { system: Type.Optional(Type.String({ maxLength: 40 })), host: Type.Optional(HostName) },
  strict,
)
export const BackupSchedule = Type.Object(
  {
    cron: Type.String({
      pattern: '^[0-9*/, -]{9,60}$',
      description: 'Five fields, as cron has them, in UTC.',
    }),
    keep: Type.Integer({ minimum: 1, maximum: 100, description: 'So many of those that it made are kept.' }),
  },
  strict,
)
