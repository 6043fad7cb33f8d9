import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { RestoreBackup, RestoredFacts } from '#contract/backup.ts'
import type { Clock } from '#lib/clock.ts'
import { FairleadError } from '#lib/errors.ts'
import { failpoint } from '#lib/failpoint.ts'
import { newId } from '#lib/id.ts'
import { Secret } from '#lib/secret.ts'
import { loadIdentity } from '#link/identity.ts'
import { createAudit } from '#manager/audit/audit.ts'
import { createToken } from '#manager/people/tokens.ts'
import { openSealer } from '#manager/secrets/key-file.ts'
import { DATABASE_FILE, LOCK_FILE, openStore } from '#manager/store/database.ts'
import { copyFileToServer } from '#manager/store/file-to-server.ts'
import { isUnfinished, markFinished, markUnfinished, takesRestore } from '#manager/store/filling.ts'
import { takeLock } from '#manager/store/folder-lock.ts'
import { type PostgresAddress, parsePostgresUrl, placeOf } from '#manager/store/postgres-address.ts'
import { copyServerToFile } from '#manager/store/server-to-file.ts'
import { readArchive } from './archive.ts'
import type { BackupParts } from './backup-parts.ts'
import { beginAnew } from './begin-anew.ts'
import { factsOf } from './create-backup.ts'
import {
  BACKUP_DAMAGED,
  BACKUP_OF_ANOTHER,
  BACKUP_REQUEST_INVALID,
  RESTORE_CONTRADICTS,
  RESTORE_DATABASE_NOT_EMPTY,
  RESTORE_LIVE,
  RESTORE_NOT_EMPTY,
  RESTORE_OVERTAKEN,
} from './errors.ts'
import { openDraft } from './restore-draft.ts'
import { shutOut } from './shut-out.ts'
import { readSince, type Since } from './since.ts'
import { takeOver } from './take-over.ts'

/**
 * Makes the manager's folder from a backup. It appears, in the place of an empty one, when it is whole. The database goes
 * into that folder, or into the empty one of a server, whichever of both it was made from.
 */
export async function restoreBackup(
  data: string,
  wanted: RestoreBackup,
  parts: BackupParts,
): Promise<RestoredFacts> {
  if (wanted.since !== undefined && wanted.nothingRevoked) {
    throw RESTORE_CONTRADICTS()
  }
  if (wanted.since === undefined && wanted.sinceDatabase !== undefined) {
    throw BACKUP_REQUEST_INVALID('--since-database', 'it goes with --since, the folder of that manager')
  }
  refuseUsed(data)
  const { database, clock } = parts
  if (database && !(await takesRestore(database))) {
    throw RESTORE_DATABASE_NOT_EMPTY(placeOf(database))
  }
  const parent = dirname(data)
  const { id, folder: draft, beside, close } = openDraft(parent)
  try {
    const manifest = await readArchive(wanted.from, {
      ...{ descriptor: wanted.descriptor, opening: wanted.opening, folder: draft },
    })
    if (!manifest.files.some(({ name }) => name === DATABASE_FILE)) {
      throw BACKUP_DAMAGED(wanted.from, 'there is no database in it')
    }
    checkIdentity(wanted, draft, clock)
    mkdirSync(beside, { mode: 0o700 })
    const since = await sinceOf(wanted, { draft, beside }, parts)
    const settled = await settle(draft, { wanted, since }, parts)
    since?.close()
    if (database) {
      await bringToServer(database, { id, draft, beside, clock })
    }
    failpoint('manager', 'restore', 'before-rename')
    putInPlace(draft, data)
    if (database && !(await markFinished(database, id))) {
      // What is in the database belongs to another folder.
      renameSync(data, draft)
      throw RESTORE_OVERTAKEN(placeOf(database))
    }
    return { ...factsOf({ file: wanted.from, descriptor: wanted.descriptor }, manifest), data, ...settled }
  } finally {
    close()
  }
}

interface Folders {
  readonly draft: string
  /** For databases that are not to stay in the manager's folder. */
  readonly beside: string
}

async function sinceOf(
  { since, sinceDatabase }: RestoreBackup,
  { draft, beside }: Folders,
  { clock, database }: BackupParts,
): Promise<Since | undefined> {
  if (since === undefined || sinceDatabase === undefined) {
    return since === undefined ? undefined : readSince(since, draft)
  }
  const place = parsePostgresUrl(sinceDatabase)
  if (!place) {
    throw BACKUP_REQUEST_INVALID('--since-database', 'it is no address of a PostgreSQL database')
  }
  const password = place.password === undefined ? database?.password : new Secret(place.password)
  const file = join(beside, 'since.db')
  const address = { ...place, password, ca: database?.ca }
  await copyServerToFile(address, file, { now: clock.now, without: ['log_pieces'] })
  return readSince(since, draft, file)
}

/**
 * From then on the folder has no database of its own. A kill leaves nothing in the one of the server, or all with a mark
 * that no manager starts with, and in whose place the next restore goes.
 */
async function bringToServer(
  database: PostgresAddress,
  { id, draft, beside, clock }: Folders & { readonly id: string; readonly clock: Clock },
): Promise<void> {
  const file = join(beside, DATABASE_FILE)
  renameSync(join(draft, DATABASE_FILE), file)
  const { close } = await openStore(draft, clock.now, {
    ...database,
    async fill(db, { isNew }) {
      // From here on nobody else writes there: another restore may have begun after the first look.
      if (!(isNew || (await isUnfinished(db)))) {
        throw RESTORE_DATABASE_NOT_EMPTY(placeOf(database))
      }
      await copyFileToServer(file, db)
      await markUnfinished(db, id)
      failpoint('manager', 'restore', 'filled')
    },
  })
  await close()
}

function refuseUsed(data: string): void {
  const lockFile = join(data, LOCK_FILE)
  const lock = existsSync(lockFile) ? takeLock(lockFile) : undefined
  if (existsSync(lockFile) && !lock) {
    throw RESTORE_LIVE(data)
  }
  lock?.close()
  if (existsSync(data) && readdirSync(data).length > 0) {
    throw RESTORE_NOT_EMPTY(data)
  }
}

function checkIdentity({ from, keyId: wanted }: RestoreBackup, draft: string, clock: Clock): void {
  try {
    const identity = loadIdentity({ folder: join(draft, 'identity'), clock })
    if (wanted !== undefined && identity.keyId !== wanted) {
      throw BACKUP_OF_ANOTHER(identity.keyId, wanted)
    }
  } catch (error) {
    throw BACKUP_OF_ANOTHER.matches(error) || !(error instanceof FairleadError)
      ? error
      : BACKUP_DAMAGED(from, error.message)
  }
}

interface Given {
  readonly wanted: RestoreBackup
  readonly since: Since | undefined
}

/** What must not be as it was: the epoch, what was under way, who is let in. Older schemas are brought up to date. */
async function settle(
  draft: string,
  { wanted, since }: Given,
  { clock, logger }: BackupParts,
): Promise<Pick<RestoredFacts, 'epoch' | 'ended_deployments' | 'shut_out' | 'token'>> {
  const { db, close } = await openStore(draft, clock.now)
  try {
    const sealer = await openSealer(db, join(draft, 'secret.key'))
    const anew = await beginAnew(db, { now: clock.now(), epochSeen: since?.epoch ?? 0 })
    const shut_out = since
      ? await takeOver(db, since)
      : wanted.nothingRevoked
        ? {}
        : await shutOut({ db, clock, sealer }, wanted.hosts)
    const letsNobodyIn = !since && !wanted.nothingRevoked
    const made = letsNobodyIn ? await createToken({ db, clock }, ADMIN) : undefined
    const audit = createAudit({ db, clock, logger, sealer, config: { data: draft } })
    const line = { request: newId(), who: 'restore', address: 'this machine', action: 'restore' }
    await audit.add({
      ...line,
      target: 'manager',
      plan_hash: null,
      details: null,
      result: 'done',
      status: null,
    })
    audit.close()
    return { ...anew, shut_out, token: made?.token ?? null }
  } finally {
    await close()
  }
}

const ADMIN = {
  name: 'restored',
  expiresAt: null,
  trusts: null,
  personId: null,
  projectId: null,
  role: 'admin',
  scopes: null,
} as const

/** In the place of an empty folder, and of nothing else. */
function putInPlace(draft: string, data: string): void {
  try {
    renameSync(draft, data)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code === 'ENOTEMPTY' || code === 'EEXIST' ? RESTORE_NOT_EMPTY(data) : error
  }
}
