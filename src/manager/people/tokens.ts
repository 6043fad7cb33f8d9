import { createHash, timingSafeEqual } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import type { RoleName } from '#contract/rest/people.ts'
import type { Scope } from '#contract/rest/tokens.ts'
import type { Clock } from '#lib/clock.ts'
import { newId, randomText } from '#lib/id.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { TokenTable } from '#manager/store/token-table.ts'
import { activePerson, type Person, type Session } from './sessions.ts'

/** Who speaks: the owner of a token, or a person who has signed in. */
export interface Speaker {
  /** Of the token or the session that was shown. */
  readonly tokenId: string
  readonly name: string
  /** What it may do everywhere; null: nothing. */
  readonly role: RoleName | null
  /** Whose token or session it is; undefined: a machine's. */
  readonly person?: Person
  /** Present where a person has signed in. */
  readonly session?: Session
  /** Roles of a machine in projects, by id; undefined: those of its person. */
  readonly projects?: ReadonlyMap<string, RoleName>
  /** What a token was made for; undefined: whatever its owner may. */
  readonly scopes?: readonly Scope[]
  /** The apps that it may deploy, and nothing else; undefined: it may do everything. */
  readonly apps?: readonly string[]
}

export interface TokensContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
}

const TOKEN = /^flt_[A-Za-z0-9_-]{43}$/
/** `last_used_at` is only this exact, so that reading the API does not write. */
const USED_EXACTNESS_MS = 10 * 60_000
const NEVER = Number.POSITIVE_INFINITY

/**
 * Makes the first token when there is none and nobody has an account: later on, who deleted the last token meant it.
 * `show` must hand it to a person before it is stored:
 * a crash in between shows another one at the next start, instead of leaving one that nobody knows.
 */
export async function createFirstToken(context: TokensContext, show: (token: string) => void): Promise<void> {
  const any = await context.db.selectFrom('tokens').select('id').limit(1).executeTakeFirst()
  const somebody = await context.db.selectFrom('people').select('id').limit(1).executeTakeFirst()
  if (any || somebody) {
    return
  }
  const token = newToken()
  show(token)
  await store(context, token, { ...EVERYTHING, name: 'admin', expiresAt: null })
}

/** What the first token may. */
const EVERYTHING = { trusts: null, personId: null, projectId: null, role: 'admin', scopes: null } as const

export interface WantedToken {
  readonly name: string
  readonly expiresAt: number | null
  /** It may do what these trusts allow for as long as they are there; null: it is no job's. */
  readonly trusts: readonly string[] | null
  readonly personId: string | null
  /** Where the role holds; null: everywhere. */
  readonly projectId: string | null
  /** Of a machine. */
  readonly role: RoleName | null
  readonly scopes: readonly Scope[] | null
}

/** Makes a token; nothing that is kept can give it again. */
export async function createToken(
  context: TokensContext,
  wanted: WantedToken,
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
  return await speakerOf(context, row)
}

/** The owner of a token that was shown before, while it holds. */
export async function speakerWithId(
  context: Pick<TokensContext, 'db' | 'clock'>,
  id: string,
): Promise<Speaker | undefined> {
  const row = await context.db.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst()
  return row && context.clock.now() < (row.expires_at ?? NEVER) ? await speakerOf(context, row) : undefined
}

/** Undefined where its person is gone or locked out. */
async function speakerOf(
  { db }: Pick<TokensContext, 'db'>,
  row: Selectable<TokenTable>,
): Promise<Speaker | undefined> {
  const speaker = { tokenId: row.id, name: row.name }
  if (row.trusts !== null) {
    return { ...speaker, role: null, apps: await appsOf(db, JSON.parse(row.trusts)) }
  }
  const scoped = row.scopes === null ? speaker : { ...speaker, scopes: JSON.parse(row.scopes) as Scope[] }
  if (row.person_id !== null) {
    const person = await activePerson(db, row.person_id)
    return person && { ...scoped, name: person.name, role: person.role, person }
  }
  return row.project_id === null
    ? { ...scoped, role: row.role }
    : { ...scoped, role: null, projects: new Map(row.role ? [[row.project_id, row.role]] : []) }
}

/** Forgets tokens that have ended. */
export async function forgetEndedTokens({ db, clock }: TokensContext): Promise<void> {
  await db.deleteFrom('tokens').where('expires_at', '<=', clock.now()).execute()
}

async function appsOf(db: Kysely<Tables>, trusts: readonly string[]): Promise<string[]> {
  const rows = await db.selectFrom('ci_trusts').select('apps').where('id', 'in', trusts).execute()
  return [...new Set(rows.flatMap(({ apps }) => JSON.parse(apps) as string[]))].sort()
}

async function store({ db, clock }: TokensContext, token: string, wanted: WantedToken): Promise<string> {
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
      person_id: wanted.personId,
      project_id: wanted.projectId,
      role: wanted.role,
      scopes: wanted.scopes && JSON.stringify(wanted.scopes),
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
