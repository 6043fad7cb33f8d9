import type { Kysely, Selectable } from 'kysely'
import type { NewCiTrust } from '#contract/rest/ci-trusts.ts'
import type { Clock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import type { CiTrustTable } from '#manager/store/ci-trust-table.ts'
import { isConstraintViolation } from '#manager/store/store-error.ts'
import type { Tables } from '#manager/store/tables.ts'
import { type ClaimRules, tooWide } from './claims.ts'
import { CI_TRUST_EXISTS, CI_TRUST_NOT_FOUND, CI_TRUST_TOO_WIDE, ISSUER_NOT_USABLE } from './errors.ts'

/** Jobs of a CI system that may deploy some apps, by what their tokens say. */
export interface CiTrust {
  readonly id: string
  readonly name: string
  readonly issuer: string
  readonly audience: string
  readonly ca: string | undefined
  /** Public keys that were given; undefined: the issuer is asked. */
  readonly keys: { readonly keys: Record<string, unknown>[] } | undefined
  readonly claims: ClaimRules
  readonly apps: readonly string[]
  readonly createdAt: number
  readonly lastUsedAt: number | undefined
}

export async function listTrusts(db: Kysely<Tables>): Promise<CiTrust[]> {
  const rows = await db.selectFrom('ci_trusts').selectAll().orderBy('name').execute()
  return rows.map(fromRow)
}

export async function trustsInIssuer(db: Kysely<Tables>, issuer: string): Promise<CiTrust[]> {
  const rows = await db.selectFrom('ci_trusts').selectAll().where('issuer', '=', issuer).execute()
  return rows.map(fromRow)
}

interface AddContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  /** The audience of a trust that names none. */
  readonly publicUrl: string
}

export async function addTrust({ db, clock, publicUrl }: AddContext, wanted: NewCiTrust): Promise<CiTrust> {
  const wide = tooWide(wanted.claims)
  if (wide !== undefined) {
    throw CI_TRUST_TOO_WIDE(wide)
  }
  if (wanted.keys === undefined) {
    refuseUnsafe(wanted.issuer)
  }
  const row: CiTrustTable = {
    id: newId(),
    name: wanted.name,
    issuer: wanted.issuer,
    audience: wanted.audience ?? publicUrl,
    ca: wanted.ca ?? null,
    keys: wanted.keys === undefined ? null : JSON.stringify(wanted.keys),
    claims: JSON.stringify(wanted.claims),
    apps: JSON.stringify([...new Set(wanted.apps)].sort()),
    created_at: clock.now(),
    last_used_at: null,
  }
  try {
    await db.insertInto('ci_trusts').values(row).execute()
  } catch (error) {
    throw isConstraintViolation(error) ? CI_TRUST_EXISTS(row.name) : error
  }
  return fromRow(row)
}

/** From now on no job is trusted by it; tokens that were given for it allow nothing any more. */
export async function removeTrust(db: Kysely<Tables>, name: string): Promise<void> {
  const { numDeletedRows } = await db.deleteFrom('ci_trusts').where('name', '=', name).executeTakeFirst()
  if (numDeletedRows === 0n) {
    throw CI_TRUST_NOT_FOUND(name)
  }
}

/** Whoever can change the answer with the keys can sign tokens: only to this machine itself it may come unencrypted. */
export function refuseUnsafe(issuer: string): void {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  if (url === undefined || [url.username, url.search, url.hash].some(part => part !== '')) {
    throw ISSUER_NOT_USABLE(issuer, 'it is no address without user name, query and fragment')
  }
  if (url.protocol !== 'https:' && !/^(?:127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)) {
    throw ISSUER_NOT_USABLE(issuer, 'its keys would come unencrypted')
  }
}

function fromRow(row: Selectable<CiTrustTable>): CiTrust {
  return {
    id: row.id,
    name: row.name,
    issuer: row.issuer,
    audience: row.audience,
    ca: row.ca ?? undefined,
    keys: row.keys === null ? undefined : JSON.parse(row.keys),
    claims: JSON.parse(row.claims),
    apps: JSON.parse(row.apps),
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at ?? undefined,
  }
}
