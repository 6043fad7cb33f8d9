import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { RestoreBackup, RestoredFacts } from '#contract/backup.ts'
import type { Clock } from '#lib/clock.ts'
import { FairleadError } from '#lib/errors.ts'
import { failpoint } from '#lib/failpoint.ts'
import { newId, randomText } from '#lib/id.ts'
import type { Logger } from '#lib/logger.ts'
import { loadIdentity } from '#link/identity.ts'
import { createAudit } from '#manager/audit/audit.ts'
import { createToken } from '#manager/people/tokens.ts'
import { openSealer } from '#manager/secrets/key-file.ts'
import { DATABASE_FILE, LOCK_FILE, openStore } from '#manager/store/database.ts'
import { giveToOwner, takeLock } from '#manager/store/folder-lock.ts'
import { readArchive } from './archive.ts'
import { beginAnew } from './begin-anew.ts'
import { factsOf } from './create-backup.ts'
import {
  BACKUP_DAMAGED,
  BACKUP_OF_ANOTHER,
  RESTORE_CONTRADICTS,
  RESTORE_LIVE,
  RESTORE_NOT_EMPTY,
} from './errors.ts'
import { shutOut } from './shut-out.ts'
import { readSince, type Since } from './since.ts'
import { takeOver } from './take-over.ts'

const DRAFT = 'restoring-'

interface Parts {
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes the manager's folder from a backup. It appears, in the place of an empty one, when it is whole. */
export async function restoreBackup(
  data: string,
  wanted: RestoreBackup,
  parts: Parts,
): Promise<RestoredFacts> {
  if (wanted.since !== undefined && wanted.nothingRevoked) {
    throw RESTORE_CONTRADICTS()
  }
  refuseUsed(data)
  const parent = dirname(data)
  // Of a restore that was killed.
  for (const name of readdirSync(parent).filter(each => each.startsWith(DRAFT))) {
    rmSync(join(parent, name), { recursive: true, force: true })
  }
  const draft = join(parent, `${DRAFT}${randomText(6)}`)
  try {
    const manifest = await readArchive(wanted.from, { opening: wanted.opening, folder: draft })
    if (!manifest.files.some(({ name }) => name === DATABASE_FILE)) {
      throw BACKUP_DAMAGED(wanted.from, 'there is no database in it')
    }
    checkIdentity(wanted, draft, parts.clock)
    const since = wanted.since === undefined ? undefined : readSince(wanted.since, draft)
    const settled = await settle(draft, { wanted, since }, parts)
    since?.close()
    failpoint('manager', 'restore', 'before-rename')
    giveAway(draft, parent)
    putInPlace(draft, data)
    return { ...factsOf(wanted.from, manifest), data, ...settled }
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
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
  { clock, logger }: Parts,
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

function giveAway(draft: string, parent: string): void {
  for (const path of ['', ...(readdirSync(draft, { recursive: true }) as string[])]) {
    giveToOwner(join(draft, path), parent)
  }
}

/** In the place of an empty folder, and of nothing else. */
function putInPlace(draft: string, data: string): void {
  try {
    renameSync(draft, data)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code === 'ENOTEMPTY' || code === 'EEXIST' ? RESTORE_NOT_EMPTY(data) : error
  }
}
