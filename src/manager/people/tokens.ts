import { createHash, timingSafeEqual } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { newId, randomText } from '#lib/id.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'
import type { Tables } from '#manager/store/tables.ts'

/** Who speaks: the owner of a token. */
export interface Speaker {
  readonly tokenId: string
  readonly name: string
  /** The apps that it may deploy, and nothing else; undefined: it may do everything. */
  readonly apps?: readonly string[]
}

interface TokensContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
}

const TOKEN = /^flt_[A-Za-z0-9_-]{43}$/
/** `last_used_at` is only this exact, so that reading the API does not write. */
const USED_EXACTNESS_MS = 10 * 60_000
const NEVER = Number.POSITIVE_INFINITY

/**
 * Makes the first token when there is none. `show` must hand it to a person before it is stored:
 * a crash in between shows another one at the next start, instead of leaving one that nobody knows.
 */
export async function createFirstToken(context: TokensContext, show: (token: string) => void): Promise<void> {
  const any = await context.db.selectFrom('tokens').select('id').limit(1).executeTakeFirst()
  if (any) {
    return
  }
  const token = newToken()
  show(token)
  await store(context, token, { name: 'admin', expiresAt: null, trusts: null })
}

interface NewToken {
  readonly name: string
  readonly expiresAt: number | null
  /** It may do what these trusts allow for as long as they are there; null: everything. */
  readonly trusts: readonly string[] | null
}

/** Makes a token; nothing that is kept can give it again. */
export async function createToken(
  context: TokensContext,
  wanted: NewToken,
): Promise<{ id: string; token: string }> {
  const token = newToken()
  return { id: await store(context, token, wanted), token }
}

/** Whose token this is; undefined for nobody's. Only hashes are compared, so time tells nothing about a token. */
export async function findSpeaker(context: TokensContext, token: string): Promise<Speaker | undefined> {
  if (!TOKEN.test(token)) {
    return undefined
  }
  const hash = hashOf(token)
  const row = await context.db.selectFrom('tokens').selectAll().where('hash', '=', hash).executeTakeFirst()
  const now = context.clock.now()
  if (
    !row ||
    !timingSafeEqual(Buffer.from(row.hash), Buffer.from(hash)) ||
    now >= (row.expires_at ?? NEVER)
  ) {
    return undefined
  }
  if (now - (row.last_used_at ?? 0) > USED_EXACTNESS_MS) {
    const noted = context.db.updateTable('tokens').set({ last_used_at: now }).where('id', '=', row.id)
    // Who only reads must not be refused because nothing can be written.
    await noted.execute().catch(error => {
      if (!isStoreTrouble(error)) {
        throw error
      }
    })
  }
  const speaker = { tokenId: row.id, name: row.name }
  return row.trusts === null
    ? speaker
    : { ...speaker, apps: await appsOf(context.db, JSON.parse(row.trusts)) }
}

/** Forgets tokens that have ended. */
export async function forgetEndedTokens({ db, clock }: TokensContext): Promise<void> {
  await db.deleteFrom('tokens').where('expires_at', '<=', clock.now()).execute()
}

async function appsOf(db: Kysely<Tables>, trusts: readonly string[]): Promise<string[]> {
  const rows = await db.selectFrom('ci_trusts').select('apps').where('id', 'in', trusts).execute()
  return [...new Set(rows.flatMap(({ apps }) => JSON.parse(apps) as string[]))].sort()
}

async function store({ db, clock }: TokensContext, token: string, wanted: NewToken): Promise<string> {
  const id = newId()
  await db
    .insertInto('tokens')
    .values({
      id,
      name: wanted.name,
      hash: hashOf(token),
      created_at: clock.now(),
      last_used_at: null,
      expires_at: wanted.expiresAt,
      trusts: wanted.trusts && JSON.stringify(wanted.trusts),
    })
    .execute()
  return id
}

function newToken(): string {
  return `flt_${randomText(32)}`
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
