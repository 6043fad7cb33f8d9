import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AuditHead } from '#lib/audit-chain.ts'
import type { Timer } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { writeDurably } from '#link/durable-file.ts'
import { AUDIT_HEAD_FILE, AUDIT_HEAD_PLACE } from '#manager/audit/head-file.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import type { LeadParts } from './lead.ts'
import { sharedFilePlace } from './sealed-places.ts'

/** Who the manager is to its hosts, was and will be: hosts know one manager, whichever of several it is. */
export const IDENTITY = 'identity/identity.json'
const NEXT = 'identity/next'
const EARLIER = 'identity/earlier'
const IDENTITY_FILES = ['identity', NEXT, EARLIER].flatMap(folder => [
  `${folder}/identity.json`,
  `${folder}/tls.json`,
])
const LOOK_MS = 1000

interface Parts extends LeadParts {
  readonly data: string
}

/**
 * The identity that the leader before had, and what it wrote down of the audit log, into this data folder. Nothing
 * happens where no leader has shared anything yet.
 */
export async function takeSharedFiles({ db, sealer, data }: Omit<Parts, 'clock'>): Promise<void> {
  const rows = await db.selectFrom('shared_files').selectAll().execute()
  const shared = new Map(rows.map(({ name, content_sealed }) => [name, content_sealed]))
  const texts = new Map(
    IDENTITY_FILES.filter(name => shared.has(name)).map(name => [
      name,
      sealer.open(shared.get(name) ?? '', sharedFilePlace(name)),
    ]),
  )
  if (!texts.has(IDENTITY)) {
    return
  }
  // A next key that was made here for the identity that still holds is one to be taken.
  const isSame = readText(join(data, IDENTITY)) === texts.get(IDENTITY)
  for (const folder of isSame ? [EARLIER] : [NEXT, EARLIER]) {
    if (!texts.has(`${folder}/identity.json`)) {
      rmSync(join(data, folder), { recursive: true, force: true })
    }
  }
  for (const [name, text] of texts) {
    writeChanged(join(data, name), text)
  }
  keepAuditHead(shared.get(AUDIT_HEAD_FILE), { sealer, data })
}

/**
 * Writes down beside this manager, too, how far the audit log had come: a database that is set back shows, whichever
 * manager leads. What is older than what this one knows is not believed.
 */
export function keepAuditHead(
  sealed: string | undefined,
  { sealer, data }: { readonly sealer: Sealer; readonly data: string },
): void {
  if (sealed === undefined) {
    return
  }
  const file = join(data, AUDIT_HEAD_FILE)
  const told = sealer.open(sealed, sharedFilePlace(AUDIT_HEAD_FILE))
  if (seqOf(told, sealer) > seqOf(readText(file), sealer)) {
    writeChanged(file, told)
  }
}

/**
 * A manager that leads alone shares nothing, and what it shared when there were others grows old: its keys may change
 * until there are others again, which would then take these.
 */
export async function unshareFiles(db: Parts['db']): Promise<void> {
  await db.deleteFrom('shared_files').execute()
}

/** Puts these files into the database now, and again whenever they have changed. */
export async function shareFiles(parts: Parts & { readonly logger: Logger }): Promise<Timer> {
  const { clock, logger } = parts
  let last = await shareChanged(parts, new Map())
  let isSharing = false
  return clock.every(LOOK_MS, () => {
    if (isSharing) {
      return
    }
    isSharing = true
    shareChanged(parts, last)
      .then(now => {
        last = now
      })
      // The next look tries again.
      .catch(error => logger.warn('manager.files-not-shared', { message: asFairleadError(error).message }))
      .finally(() => {
        isSharing = false
      })
  })
}

type Texts = ReadonlyMap<string, string | undefined>

/** In one transaction: an identity and its certificates are never from two different times. */
async function shareChanged({ db, sealer, data }: Parts, before: Texts): Promise<Texts> {
  const names = [...IDENTITY_FILES, AUDIT_HEAD_FILE]
  const now = new Map(names.map(name => [name, readText(join(data, name))]))
  const changed = names.filter(name => !before.has(name) || now.get(name) !== before.get(name))
  if (changed.length === 0) {
    return before
  }
  await inTransaction(db, async inside => {
    for (const name of changed) {
      const text = now.get(name)
      if (text === undefined) {
        await inside.deleteFrom('shared_files').where('name', '=', name).execute()
        continue
      }
      const content_sealed = sealer.seal(text, sharedFilePlace(name))
      await inside
        .insertInto('shared_files')
        .values({ name, content_sealed })
        .onConflict(conflict => conflict.column('name').doUpdateSet({ content_sealed }))
        .execute()
    }
  })
  return now
}

function writeChanged(file: string, text: string): void {
  if (readText(file) !== text) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeDurably(file, text, 0o600)
  }
}

function readText(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** -1 for what nobody who may has written. */
function seqOf(sealed: string | undefined, sealer: Sealer): number {
  try {
    return sealed === undefined ? -1 : (JSON.parse(sealer.open(sealed, AUDIT_HEAD_PLACE)) as AuditHead).seq
  } catch {
    return -1
  }
}
