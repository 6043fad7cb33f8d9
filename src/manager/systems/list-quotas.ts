import type { Kysely } from 'kysely'
import type { QuotaList } from '#contract/rest/systems.ts'
import type { Speaker } from '#manager/people/tokens.ts'
import type { Tables } from '#manager/store/tables.ts'
import { findOwner, ownerNames, ownerOf } from './owners.ts'
import { EVERYBODY } from './quotas.ts'

type Db = Kysely<Tables>

/** Quotas with the addresses of people. Whoever is no admin sees what holds for them. */
export async function listQuotas(db: Db, speaker: Speaker): Promise<QuotaList['items']> {
  const rows = await db.selectFrom('system_quotas').selectAll().orderBy('kind').orderBy('name').execute()
  const { id } = ownerOf(speaker)
  const seen =
    speaker.role === 'admin'
      ? rows
      : rows.filter(({ kind, name }) => kind === 'person' && [EVERYBODY, id].includes(name))
  const people = seen.flatMap(({ kind, name }) => (kind === 'person' && name !== EVERYBODY ? [name] : []))
  const names = await ownerNames(db, people)
  return seen.map(row => ({
    ...row,
    name: row.kind === 'person' ? (names.get(row.name)?.email ?? row.name) : row.name,
  }))
}

/** What a quota is kept under. PERSON_NOT_FOUND. */
export async function quotaIdOf(
  db: Db,
  { kind, name }: { readonly kind: 'person' | 'host'; readonly name: string },
): Promise<string> {
  return kind === 'host' || name === EVERYBODY ? name : (await findOwner(db, name)).id
}
