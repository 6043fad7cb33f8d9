import type { Kysely, Selectable } from 'kysely'
import type { NewJoinToken } from '#contract/rest/join.ts'
import type { Clock } from '#lib/clock.ts'
import { newJoinToken, writeJoinToken } from '#link/join-token.ts'
import { parseRanges } from '#manager/addresses.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { JoinTokenTable } from '#manager/store/join-token-table.ts'
import type { Tables } from '#manager/store/tables.ts'
import { JOIN_TOKEN_NETWORK, JOIN_TOKEN_NOT_FOUND } from './join-errors.ts'

const VALID_SECONDS = 900

export type JoinTokenRow = Selectable<JoinTokenTable>

interface TokensContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly sealer: Sealer
}

interface Wanted extends NewJoinToken {
  readonly by: string
  readonly managerKeyId: string
}

/** Makes a token; `text` is what the host needs and is not kept in a readable form. */
export async function createJoinToken(
  { db, clock, sealer }: TokensContext,
  { role = 'worker', name, from = [], valid_seconds: seconds = VALID_SECONDS, by, managerKeyId }: Wanted,
): Promise<{ readonly row: JoinTokenRow; readonly text: string }> {
  const { wrong } = parseRanges(from)
  if (wrong !== undefined) {
    throw JOIN_TOKEN_NETWORK(wrong)
  }
  const token = newJoinToken(managerKeyId)
  const now = clock.now()
  const row: JoinTokenRow = {
    id: token.id,
    secret_sealed: sealer.seal(token.secret.toString('base64url'), joinTokenPlace(token.id)),
    role,
    name: name ?? null,
    networks: JSON.stringify(from),
    created_by: by,
    created_at: now,
    expires_at: now + seconds * 1_000,
    failures: 0,
    revoked_at: null,
    used_at: null,
    used_by: null,
    used_for: null,
  }
  await db.insertInto('join_tokens').values(row).execute()
  return { row, text: writeJoinToken(token) }
}

/** Newest first. */
export async function listJoinTokens(db: Kysely<Tables>): Promise<JoinTokenRow[]> {
  return await db.selectFrom('join_tokens').selectAll().orderBy('created_at', 'desc').execute()
}

export async function revokeJoinToken(
  { db, clock }: Omit<TokensContext, 'sealer'>,
  id: string,
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('join_tokens')
    .set({ revoked_at: clock.now() })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .where('used_at', 'is', null)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) {
    throw JOIN_TOKEN_NOT_FOUND(id)
  }
}

/** The secret of a token. */
export function secretOf({ sealer }: Pick<TokensContext, 'sealer'>, row: JoinTokenRow): Buffer {
  return Buffer.from(sealer.open(row.secret_sealed, joinTokenPlace(row.id)), 'base64url')
}

export function tokenState(row: JoinTokenRow, now: number): 'open' | 'used' | 'expired' | 'revoked' {
  if (row.used_at !== null) {
    return 'used'
  }
  return row.revoked_at !== null ? 'revoked' : row.expires_at <= now ? 'expired' : 'open'
}

/** What a value is sealed for. */
export function joinTokenPlace(id: string): string {
  return `join_tokens/${id}/secret`
}
