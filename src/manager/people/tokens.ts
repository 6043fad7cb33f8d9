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
}

interface TokensContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
}

const TOKEN = /^flt_[A-Za-z0-9_-]{43}$/
/** `last_used_at` is only this exact, so that reading the API does not write. */
const USED_EXACTNESS_MS = 10 * 60_000

/**
 * Makes the first token when there is none. `show` must hand it to a person before it is stored:
 * a crash in between shows another one at the next start, instead of leaving one that nobody knows.
 */
export async function createFirstToken(context: TokensContext, show: (token: string) => void): Promise<void> {
  const any = await context.db.selectFrom('tokens').select('id').limit(1).executeTakeFirst()
  if (any) {
    return
  }
  const token = `flt_${randomText(32)}`
  show(token)
  await context.db
    .insertInto('tokens')
    .values({
      id: newId(),
      name: 'admin',
      hash: hashOf(token),
      created_at: context.clock.now(),
      last_used_at: null,
    })
    .execute()
}

/** Whose token this is; undefined for nobody's. Only hashes are compared, so time tells nothing about a token. */
export async function findSpeaker(context: TokensContext, token: string): Promise<Speaker | undefined> {
  if (!TOKEN.test(token)) {
    return undefined
  }
  const hash = hashOf(token)
  const row = await context.db.selectFrom('tokens').selectAll().where('hash', '=', hash).executeTakeFirst()
  if (!row || !timingSafeEqual(Buffer.from(row.hash), Buffer.from(hash))) {
    return undefined
  }
  const now = context.clock.now()
  if (now - (row.last_used_at ?? 0) > USED_EXACTNESS_MS) {
    const noted = context.db.updateTable('tokens').set({ last_used_at: now }).where('id', '=', row.id)
    // Who only reads must not be refused because nothing can be written.
    await noted.execute().catch(error => {
      if (!isStoreTrouble(error)) {
        throw error
      }
    })
  }
  return { tokenId: row.id, name: row.name }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
