import { defineError } from '#lib/errors.ts'

export const BACKUP_REQUEST_INVALID = defineError({
  code: 'BACKUP_REQUEST_INVALID',
  status: 400,
  retry: 'never',
  message: (what: string, problem: string) => `${what} is not valid: ${problem}`,
  hint: () => 'Use "fairlead backup" and "fairlead restore" of the same version as the manager.',
})

export const BACKUP_KEY_INVALID = defineError({
  code: 'BACKUP_KEY_INVALID',
  status: 422,
  retry: 'never',
  message: (problem: string) => `The backup cannot be encrypted with this: ${problem}.`,
  hint: () =>
    'Give --recipient age1… ("fairlead backup key" makes a pair of keys) or --passphrase-file, not both.',
})

export const BACKUP_NOTHING_HERE = defineError({
  code: 'BACKUP_NOTHING_HERE',
  status: 404,
  retry: 'never',
  message: (folder: string) => `There is no manager to back up in ${folder}.`,
  hint: () =>
    'Name the data folder of the machine with --data or FAIRLEAD_DATA, as the manager has it, and FAIRLEAD_DATABASE_URL if its database is in PostgreSQL.',
})

export const BACKUP_EXISTS = defineError({
  code: 'BACKUP_EXISTS',
  status: 409,
  retry: 'never',
  message: (file: string) => `${file} exists already; a backup is never written over.`,
  hint: () => 'Give another name, for example with the time in it.',
})

export const BACKUP_NOT_WRITTEN = defineError({
  code: 'BACKUP_NOT_WRITTEN',
  status: 500,
  retry: 'later',
  message: (file: string, problem: string) => `The backup ${file} could not be written: ${problem}.`,
  hint: () =>
    'See that the folder is there, may be written, and has space. Nothing half is left under that name.',
})

export const BACKUP_UNDER_WAY = defineError({
  code: 'BACKUP_UNDER_WAY',
  status: 409,
  retry: 'later',
  message: (folder: string) => `Another backup of ${folder} is being made.`,
  hint: () => 'Wait until it has ended.',
})

export const BACKUP_KEYS_OTHER = defineError({
  code: 'BACKUP_KEYS_OTHER',
  status: 409,
  retry: 'later',
  message: (file: string) =>
    `${file} is not what its database was written with: a backup of both could not be used.`,
  hint: () =>
    'Of several managers, make the backup on the machine of the one that leads: it has changed its keys since they were brought here (docs/database.md). Nothing was written.',
})

export const BACKUP_NOT_OPENED = defineError({
  code: 'BACKUP_NOT_OPENED',
  status: 422,
  retry: 'never',
  message: (file: string, problem: string) => `${file} cannot be opened: ${problem}.`,
  hint: () =>
    'Give the identity file that belongs to one of its recipients with --identity, or its passphrase with --passphrase-file.',
})

export const BACKUP_DAMAGED = defineError({
  code: 'BACKUP_DAMAGED',
  status: 422,
  retry: 'never',
  message: (file: string, problem: string) => `${file} is not a whole backup of Fairlead: ${problem}.`,
  hint: () => 'Take another copy of it or an older backup. Nothing was changed.',
})

export const BACKUP_OF_ANOTHER = defineError({
  code: 'BACKUP_OF_ANOTHER',
  status: 422,
  retry: 'never',
  message: (found: string, wanted: string) => `The backup is of the manager ${found}, not of ${wanted}.`,
  hint: () => 'The hosts know the key of their manager: "peers.json" in the data folder of a worker.',
})

export const RESTORE_LIVE = defineError({
  code: 'RESTORE_LIVE',
  status: 409,
  retry: 'never',
  message: (folder: string) => `A manager is running on ${folder}; nothing is restored over it.`,
  hint: () => 'Stop it, move the folder away, and restore with --since and that folder.',
})

export const RESTORE_NOT_EMPTY = defineError({
  code: 'RESTORE_NOT_EMPTY',
  status: 409,
  retry: 'never',
  message: (folder: string) => `${folder} is not empty; a backup is restored into an empty folder only.`,
  hint: (folder: string) =>
    `Move it away ("mv ${folder} ${folder}.old") and restore with --since ${folder}.old, so that what was revoked stays revoked.`,
})

export const RESTORE_DATABASE_NOT_EMPTY = defineError({
  code: 'RESTORE_DATABASE_NOT_EMPTY',
  status: 409,
  retry: 'never',
  message: (place: string) =>
    `The database ${place} is not empty; a backup is restored into an empty one only.`,
  hint: () =>
    'Rename it ("alter database … rename to …") and make a new one (docs/database.md). With --since and --since-database that one says what was revoked.',
})

export const RESTORE_UNDER_WAY = defineError({
  code: 'RESTORE_UNDER_WAY',
  status: 409,
  retry: 'later',
  message: (folder: string) => `Another restore is at work in ${folder}.`,
  hint: () => "Wait until it has ended. One that was killed is in nobody's way.",
})

export const RESTORE_OVERTAKEN = defineError({
  code: 'RESTORE_OVERTAKEN',
  status: 409,
  retry: 'never',
  message: (place: string) =>
    `Another restore went into the database ${place} while this one was at work; this one was given up.`,
  hint: () =>
    'What the other one restored is in the database, and its folder where that one was told. If yours is the right one, restore it into a new empty database.',
})

export const RESTORE_SINCE_UNREADABLE = defineError({
  code: 'RESTORE_SINCE_UNREADABLE',
  status: 422,
  retry: 'never',
  message: (folder: string, problem: string) =>
    `What was revoked since cannot be read from ${folder}: ${problem}.`,
  hint: () =>
    'Name the folder "manager" of the earlier data, with --since-database where its database is in PostgreSQL. Without --since everything that lets in is shut out (docs/backup.md).',
})

export const RESTORE_CONTRADICTS = defineError({
  code: 'RESTORE_CONTRADICTS',
  status: 400,
  retry: 'never',
  message: () => '--since and --nothing-revoked contradict each other.',
  hint: () => 'With --since the earlier folder says what was revoked.',
})

export const RESTORE_HOST_UNKNOWN = defineError({
  code: 'RESTORE_HOST_UNKNOWN',
  status: 422,
  retry: 'never',
  message: (name: string, known: string) =>
    `The backup knows no host "${name}"; it knows ${known || 'none'}.`,
  hint: () => 'Name the hosts that are still trusted as the backup names them.',
})

export const DEPLOYMENT_BEFORE_RESTORE = defineError({
  code: 'DEPLOYMENT_BEFORE_RESTORE',
  status: 409,
  retry: 'never',
  message: () => 'It was under way when the backup was made that this manager was restored from.',
  hint: () => 'Nobody knows here how it went on. Look at what runs, and deploy again.',
})

export const KEYS_NOTHING_HERE = defineError({
  code: 'KEYS_NOTHING_HERE',
  status: 404,
  retry: 'never',
  message: (folder: string) => `There are no keys of a manager in ${folder}.`,
  hint: () =>
    'Give the command on the machine of a manager that has served already, with its data folder in --data or FAIRLEAD_DATA.',
})

export const KEYS_THERE = defineError({
  code: 'KEYS_THERE',
  status: 409,
  retry: 'never',
  message: (file: string) => `${file} is there already; keys are taken only by a manager that has none.`,
  hint: () =>
    'If this machine is to be another manager of the same database, move the data folder of the manager away first; what is sealed with its keys cannot be opened without them.',
})

export const KEYS_NOT_IN_THERE = defineError({
  code: 'KEYS_NOT_IN_THERE',
  status: 422,
  retry: 'never',
  message: (file: string) => `${file} holds something else than the keys of a manager.`,
  hint: () => 'Give the file that "fairlead manager export" wrote; a backup is for "fairlead restore".',
})
