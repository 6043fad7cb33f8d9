import type { RoleName } from '#contract/rest/people.ts'
import type { NewToken, Scope } from '#contract/rest/tokens.ts'
import { FOR_PEOPLE_ONLY, ROLE_MISSING, TOKEN_NEEDS_END, TOKEN_NOT_FOUND } from './errors.ts'
import { projectNamed } from './projects.ts'
import { createToken, type Speaker, type TokensContext, type WantedToken } from './tokens.ts'

export interface TokenRecord {
  readonly id: string
  readonly name: string
  readonly email: string | null
  readonly role: RoleName | null
  readonly project: string | null
  readonly scopes: Scope[] | null
  readonly created_at: number
  readonly expires_at: number | null
  readonly last_used_at: number | null
}

const DAY_MS = 24 * 3_600_000
const DEFAULT_DAYS = 90

/** Those of who asks; an admin sees all. Tokens of CI jobs come and go by themselves and are not among them. */
export async function listTokens({ db, clock }: TokensContext, speaker: Speaker): Promise<TokenRecord[]> {
  const rows = await selectTokens(db).orderBy('tokens.id').execute()
  const now = clock.now()
  return rows
    .filter(row => mayManage(speaker, row.person_id) && now < (row.expires_at ?? Number.POSITIVE_INFINITY))
    .map(recordFrom)
}

/** A token of who has signed in, or of a machine; a token can make none for people, so that a stolen one ends. */
export async function addToken(
  context: TokensContext,
  speaker: Speaker,
  { name, scopes, days = DEFAULT_DAYS, machine }: NewToken,
): Promise<{ readonly token: string; readonly record: TokenRecord }> {
  const expiresAt = days === null ? null : context.clock.now() + days * DAY_MS
  const common = { name, expiresAt, trusts: null, scopes: scopes ?? null }
  if (machine) {
    if (!isWholeAdmin(speaker)) {
      throw ROLE_MISSING('admin', speaker.role)
    }
    const project =
      machine.project === undefined ? null : (await projectNamed(context.db, machine.project)).id
    const wanted = { ...common, personId: null, projectId: project, role: machine.role }
    return await made(context, wanted)
  }
  if (!speaker.person || !speaker.session) {
    throw FOR_PEOPLE_ONLY()
  }
  if (expiresAt === null) {
    throw TOKEN_NEEDS_END()
  }
  return await made(context, { ...common, personId: speaker.person.id, projectId: null, role: null })
}

async function made(context: TokensContext, wanted: WantedToken) {
  const { id, token } = await createToken(context, wanted)
  return {
    token,
    record: recordFrom(await selectTokens(context.db).where('tokens.id', '=', id).executeTakeFirstOrThrow()),
  }
}

export async function removeToken({ db }: TokensContext, speaker: Speaker, id: string): Promise<void> {
  const row = await db
    .selectFrom('tokens')
    .select(['id', 'person_id'])
    .where('id', '=', id)
    .where('trusts', 'is', null)
    .executeTakeFirst()
  // Whoever holds a token may always end it.
  if (!row || !(row.id === speaker.tokenId || mayManage(speaker, row.person_id))) {
    throw TOKEN_NOT_FOUND(id)
  }
  await db.deleteFrom('tokens').where('id', '=', id).execute()
}

function mayManage(speaker: Speaker, personId: string | null): boolean {
  const isOwn = personId !== null && personId === speaker.person?.id && speaker.session !== undefined
  return isOwn || isWholeAdmin(speaker)
}

function isWholeAdmin({ role, scopes }: Speaker): boolean {
  return role === 'admin' && (scopes?.includes('admin') ?? true)
}

function selectTokens(db: TokensContext['db']) {
  return db
    .selectFrom('tokens')
    .leftJoin('people', 'people.id', 'tokens.person_id')
    .leftJoin('projects', 'projects.id', 'tokens.project_id')
    .select([
      'tokens.id',
      'tokens.name',
      'people.email',
      'tokens.person_id',
      'tokens.role',
      'projects.name as project',
      'tokens.scopes',
      'tokens.created_at',
      'tokens.expires_at',
      'tokens.last_used_at',
    ])
    .where('trusts', 'is', null)
}

type Row = Omit<TokenRecord, 'scopes'> & { readonly scopes: string | null; readonly person_id: string | null }

function recordFrom({ person_id: _, scopes, ...row }: Row): TokenRecord {
  return { ...row, scopes: scopes === null ? null : JSON.parse(scopes) }
}
