import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Kysely, Selectable } from 'kysely'
import {
  AUDIT_START,
  type AuditEntry,
  type AuditHead,
  auditHash,
  createAuditCheck,
} from '#lib/audit-chain.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { AuditTable } from '#manager/store/audit-table.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { AUDIT_HEAD_FILE, AUDIT_HEAD_PLACE } from './head-file.ts'

/** A line before it has its place. */
export type AuditLine = Omit<AuditEntry, 'seq' | 'at' | 'hash'>

export interface AuditParts {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly logger: Logger
  readonly sealer: Sealer
  readonly config: { readonly data: string }
}

export interface Audit {
  /** Adds a line and resolves when it is on the disk. */
  add(line: AuditLine): Promise<void>
  close(): void
}

/** So much later at most the last line is written down beside the database as well. */
const HEAD_AFTER_MS = 1_000
const PAGE = 1_000

/** The log of who did what, with the last line written down in a file beside the database. */
export function createAudit({ db, clock, logger, sealer, config }: AuditParts): Audit {
  let head: AuditHead = AUDIT_START
  let timer: Timer | undefined

  function writeHead(): void {
    timer = undefined
    try {
      mkdirSync(config.data, { recursive: true, mode: 0o700 })
      const file = join(config.data, AUDIT_HEAD_FILE)
      writeFileSync(`${file}.new`, sealer.seal(JSON.stringify(head), AUDIT_HEAD_PLACE), { mode: 0o600 })
      renameSync(`${file}.new`, file)
    } catch (error) {
      logger.error('audit.head-not-written', { message: asFairleadError(error).message })
    }
  }

  return {
    async add(line) {
      const added = await inTransaction(db, async inside => {
        const previous = (await lastOf(inside)) ?? AUDIT_START
        const at = clock.now()
        const entry = { ...line, seq: previous.seq + 1, at: new Date(at).toISOString() }
        const hash = auditHash(previous.hash, entry)
        await inside
          .insertInto('audit')
          .values({ ...entry, at, hash })
          .execute()
        return { seq: entry.seq, hash }
      })
      head = added.seq > head.seq ? added : head
      timer ??= clock.after(HEAD_AFTER_MS, writeHead)
    },
    close() {
      if (timer) {
        timer.close()
        writeHead()
      }
    },
  }
}

/** Reads the log in its order. */
export async function listAudit(
  db: Kysely<Tables>,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<AuditEntry[]> {
  const rows = await db
    .selectFrom('audit')
    .selectAll()
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute()
  return rows.map(entryFrom)
}

/** The newest lines first, before one of them. */
export async function latestAudit(
  db: Kysely<Tables>,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<AuditEntry[]> {
  const rows = await db
    .selectFrom('audit')
    .selectAll()
    .where('seq', '<', before)
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute()
  return rows.map(entryFrom)
}

/** The last line as it was written down beside the database; undefined where it was not, or by nobody who may. */
export function writtenHead({
  sealer,
  config,
}: Pick<AuditParts, 'sealer' | 'config'>): AuditHead | undefined {
  try {
    return JSON.parse(
      sealer.open(readFileSync(join(config.data, AUDIT_HEAD_FILE), 'utf8'), AUDIT_HEAD_PLACE),
    ) as AuditHead
  } catch {
    return undefined
  }
}

/** Reads the whole log and compares it with what is written down beside the database. */
export async function verifyAudit(
  parts: Pick<AuditParts, 'db' | 'sealer' | 'config'>,
): Promise<{ readonly head: AuditHead; readonly problem: string | null }> {
  const written = writtenHead(parts)
  const check = createAuditCheck(written ? [written] : [])
  let after = 0
  for (;;) {
    const page = await listAudit(parts.db, { after, limit: PAGE })
    for (const entry of page) {
      check.take(entry)
    }
    after = page.at(-1)?.seq ?? after
    if (page.length < PAGE) {
      break
    }
  }
  const { head, problem } = check.finish()
  const isUnknown = written === undefined && head.seq > 0
  const unknown = `the last line is not written down in ${AUDIT_HEAD_FILE}: lines at the end may be missing`
  return { head, problem: problem ?? (isUnknown ? unknown : null) }
}

async function lastOf(db: Kysely<Tables>): Promise<AuditHead | undefined> {
  return await db
    .selectFrom('audit')
    .select(['seq', 'hash'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
}

function entryFrom(row: Selectable<AuditTable>): AuditEntry {
  return { ...row, at: new Date(row.at).toISOString() }
}
