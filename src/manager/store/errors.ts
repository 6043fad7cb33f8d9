import { defineError } from '#lib/errors.ts'

export const STORE_NEWER = defineError({
  code: 'STORE_NEWER',
  status: 500,
  retry: 'never',
  message: (file: string, migration: string) =>
    `The database ${file} was made by a newer Fairlead: this one does not know its migration "${migration}".`,
  hint: () => 'Start the newer version again, or restore the backup that was made before the upgrade.',
})

export const STORE_FOREIGN = defineError({
  code: 'STORE_FOREIGN',
  status: 500,
  retry: 'never',
  message: (file: string) => `${file} is a database, but not one of Fairlead.`,
  hint: () =>
    'Point FAIRLEAD_DATA at a folder of its own or FAIRLEAD_DATABASE_URL at a database of its own, or move that file away.',
})

export const STORE_DAMAGED = defineError({
  code: 'STORE_DAMAGED',
  status: 503,
  retry: 'never',
  message: (file: string, reason: string) => `The database ${file} is damaged: ${reason}.`,
  hint: () =>
    'Stop the manager, keep a copy of the file with its -wal beside it (of PostgreSQL, of its data folder), then restore a backup; look for disk errors in the kernel log.',
})

export const STORE_IN_USE = defineError({
  code: 'STORE_IN_USE',
  status: 500,
  retry: 'later',
  message: (place: string) => `Another manager is running on ${place}.`,
  hint: () =>
    'One data folder, or one PostgreSQL database, serves one manager: stop the other one, or give this one its own FAIRLEAD_DATA and FAIRLEAD_DATABASE_URL. Where several managers are wanted on one database, each has FAIRLEAD_PEER_LISTEN (docs/database.md).',
})

export const STORE_TWICE = defineError({
  code: 'STORE_TWICE',
  status: 500,
  retry: 'never',
  message: (file: string) => `FAIRLEAD_DATABASE_URL names a database, and there is one in ${file} too.`,
  hint: () =>
    'Take FAIRLEAD_DATABASE_URL out to go on with the file. Its data is not taken over: move it away to begin with the database of the server.',
})

export const STORE_UNFINISHED = defineError({
  code: 'STORE_UNFINISHED',
  status: 500,
  retry: 'never',
  message: (place: string) => `A restore into the database ${place} was cut off before it was finished.`,
  hint: () =>
    'Give the same "fairlead restore" again: it goes into this database anew. Should there be a data folder already, move it away first.',
})

export const STORE_UNWRITABLE = defineError({
  code: 'STORE_UNWRITABLE',
  status: 503,
  retry: 'never',
  message: (file: string, reason: string) => `The database ${file} cannot be opened for writing: ${reason}.`,
  hint: () =>
    'Give the user that runs the manager the right to write the folder FAIRLEAD_DATA (and --allow-fs-write under Node permissions), and see that its disk is mounted for writing.',
})

export const STORE_REFUSED = defineError({
  code: 'STORE_REFUSED',
  status: 503,
  retry: 'never',
  message: (place: string, reason: string) => `PostgreSQL refuses the manager at ${place}: ${reason}.`,
  hint: () =>
    'Make the database and a user that owns it ("createuser --pwprompt fairlead", "createdb --owner fairlead fairlead"), and name both in FAIRLEAD_DATABASE_URL; pg_hba.conf of the server says who may come from where.',
})

export const STORE_FULL = defineError({
  code: 'STORE_FULL',
  status: 503,
  retry: { afterSeconds: 60 },
  message: () => 'The disk of the database is full: nothing can be stored now.',
  hint: () =>
    'Free some space on the disk that holds FAIRLEAD_DATA, or on the one of PostgreSQL; the manager goes on by itself.',
})

export const STORE_LOCKED = defineError({
  code: 'STORE_LOCKED',
  status: 503,
  retry: { afterSeconds: 5 },
  message: (file: string) => `Another program holds the database ${file} locked.`,
  hint: () =>
    'Find it with "fuser -v" on that file (of PostgreSQL, in pg_stat_activity) and let it end, for example a backup tool; the manager goes on by itself.',
})

export const STORE_UNAVAILABLE = defineError({
  code: 'STORE_UNAVAILABLE',
  status: 503,
  retry: { afterSeconds: 10 },
  message: (reason: string) => `The database does not answer now: ${reason}.`,
  hint: () =>
    'With FAIRLEAD_DATABASE_URL, see that its server runs and can be reached: the manager goes on by itself. Else look for disk errors in the kernel log, and restart the manager.',
})
