import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import type { Selectable } from 'kysely'
import { newId } from '#lib/id.ts'
import type { RepositoryKeyTable } from '#manager/store/encrypted-file-tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { TOO_MANY_RECIPIENTS } from './file-errors.ts'
import type { SecretsContext } from './queries.ts'

type Row = Selectable<RepositoryKeyTable>

/** More would only make the opening of a file slow. */
const MOST = 20

export interface Recipient {
  /** `age1…` */
  readonly recipient: string
  readonly createdAt: number
  /** How many there were before it, whose files can still be read. */
  readonly earlier: number
}

/**
 * Whom files of a repository are encrypted for; made when it is first asked for. Each repository has its own: a file that
 * is copied to another one, a fork for example, cannot be read there.
 */
export async function recipientOf(context: SecretsContext, repository: string): Promise<Recipient> {
  const made = await draft()
  return await inTransaction(context.db, async db => {
    const rows = await keysOf({ ...context, db }, repository)
    return shown(rows.length > 0 ? rows : [await store({ ...context, db }, repository, made)])
  })
}

/** A new one. Files that are encrypted for those before it stay readable. */
export async function renewRecipient(context: SecretsContext, repository: string): Promise<Recipient> {
  const made = await draft()
  return await inTransaction(context.db, async db => {
    const rows = await keysOf({ ...context, db }, repository)
    if (rows.length >= MOST) {
      throw TOO_MANY_RECIPIENTS(MOST)
    }
    return shown([await store({ ...context, db }, repository, made), ...rows])
  })
}

/** What opens files of a repository, the newest first: age identities. */
export async function identitiesOf(
  { db, sealer }: Omit<SecretsContext, 'clock'>,
  repository: string,
): Promise<readonly { readonly recipient: string; readonly identity: string }[]> {
  const rows = await keysOf({ db }, repository)
  return rows.map(({ id, recipient, identity_sealed }) => ({
    recipient,
    identity: sealer.open(identity_sealed, repositoryKeyPlace(id)),
  }))
}

export function repositoryKeyPlace(id = ''): string {
  return `repository-keys/${id}`
}

type Draft = Awaited<ReturnType<typeof draft>>

async function draft() {
  const identity = await generateX25519Identity()
  return { identity, recipient: await identityToRecipient(identity) }
}

async function store(
  { db, clock, sealer }: SecretsContext,
  repository: string,
  { identity, recipient }: Draft,
): Promise<Row> {
  const id = newId()
  const row = {
    ...{ id, repository_id: repository, recipient, created_at: clock.now() },
    identity_sealed: sealer.seal(identity, repositoryKeyPlace(id)),
  }
  await db.insertInto('repository_keys').values(row).execute()
  return row
}

async function keysOf({ db }: Pick<SecretsContext, 'db'>, repository: string): Promise<Row[]> {
  return await db
    .selectFrom('repository_keys')
    .selectAll()
    .where('repository_id', '=', repository)
    .orderBy('id', 'desc')
    .execute()
}

function shown([newest, ...earlier]: readonly Row[]): Recipient {
  const { recipient = '', created_at: createdAt = 0 } = newest ?? {}
  return { recipient, createdAt, earlier: earlier.length }
}
