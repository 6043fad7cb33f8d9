import { createHash } from 'node:crypto'
import { type JoinAnswer, type JoinBody, type JoinedStatement, JoinStatement } from '#contract/rest/join.ts'
import { check } from '#lib/check.ts'
import { isProvenStatement, proveStatement } from '#link/join-token.ts'
import { pinOf } from '#link/public-identity.ts'
import { parseStrict } from '#link/strict-json.ts'
import { isWithin, parseRanges } from '#manager/addresses.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { announceHost, insertHost } from './hosts.ts'
import { JOIN_REFUSED, JOIN_TOKEN_NOT_FOR, JOIN_TOKEN_SPENT } from './join-errors.ts'
import { type JoinTokenRow, secretOf, tokenState } from './join-tokens.ts'

const MOST_FAILURES = 3

/**
 * Enrols the host that proves to have the secret of an open token: its key is pinned and the token is spent in one
 * transaction. The answer tells the host, proven the same way, which manager to pin. A request that comes again
 * because its answer was lost gets the same answer.
 */
export async function joinHost(
  parts: ManagerParts,
  { body, address }: { readonly body: JoinBody; readonly address: string },
): Promise<JoinAnswer> {
  const { db, clock } = parts
  const row = await db.selectFrom('join_tokens').selectAll().where('id', '=', body.token).executeTakeFirst()
  if (!row || row.failures >= MOST_FAILURES) {
    throw JOIN_REFUSED()
  }
  const secret = secretOf(parts, row)
  const said = { by: 'host', tokenId: row.id, text: body.statement, answers: '' } as const
  if (!isProvenStatement(secret, said, body.proof)) {
    await db
      .updateTable('join_tokens')
      .set(eb => ({ failures: eb('failures', '+', 1) }))
      .where('id', '=', row.id)
      .execute()
    throw JOIN_REFUSED()
  }
  const fingerprint = createHash('sha256').update(body.statement).digest('hex')
  const wanted = check(JoinStatement, parseStrict(body.statement), 'The statement of the host')
  const { name, role } = pinOf(wanted.identity, 'The identity of the host')
  if (row.used_for !== fingerprint) {
    refuseUnless(row, { name, role, address, now: clock.now() })
    await inTransaction(db, async inside => {
      const { numUpdatedRows } = await inside
        .updateTable('join_tokens')
        .set({ used_at: clock.now(), used_by: name, used_for: fingerprint })
        .where('id', '=', row.id)
        .where('used_at', 'is', null)
        .where('revoked_at', 'is', null)
        .executeTakeFirst()
      if (numUpdatedRows === 0n) {
        throw await spentMeanwhile(inside, row)
      }
      const isNamed = row.name !== null
      await insertHost({ ...parts, db: inside }, { ...wanted, joinedAt: clock.now(), isNamed })
    })
    await announceHost(parts, name)
    parts.logger.info('host.joined', {
      host: name,
      role,
      address: wanted.address,
      token: row.id,
      from: address,
    })
  }
  const answer: JoinedStatement = { host: name, manager: { ...parts.identity() } }
  const text = JSON.stringify(answer)
  const proof = proveStatement(secret, { by: 'manager', tokenId: row.id, text, answers: body.statement })
  return { statement: text, proof }
}

/** Somebody used or revoked it after it was read. */
async function spentMeanwhile(db: ManagerParts['db'], { id }: JoinTokenRow): Promise<Error> {
  const { revoked_at } = await db
    .selectFrom('join_tokens')
    .select('revoked_at')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return JOIN_TOKEN_SPENT(id, revoked_at === null ? 'was used' : 'was revoked')
}

interface Asking {
  readonly name: string
  readonly role: string
  readonly address: string
  readonly now: number
}

function refuseUnless(row: JoinTokenRow, { name, role, address, now }: Asking): void {
  const state = tokenState(row, now)
  if (state !== 'open') {
    const ways = { used: `was used by "${row.used_by}"`, expired: 'has expired', revoked: 'was revoked' }
    throw JOIN_TOKEN_SPENT(row.id, ways[state])
  }
  if (role !== row.role) {
    throw JOIN_TOKEN_NOT_FOR(row.id, `a ${row.role}`, `a ${role}`)
  }
  if (row.name !== null && row.name !== name) {
    throw JOIN_TOKEN_NOT_FOR(row.id, `"${row.name}"`, `"${name}"`)
  }
  const networks = JSON.parse(row.networks) as string[]
  if (networks.length > 0 && !isWithin(parseRanges(networks).ranges, address)) {
    throw JOIN_TOKEN_NOT_FOR(row.id, networks.join(', '), address)
  }
}
