import type { Kysely } from 'kysely'
import type { RoleName } from '#contract/rest/people.ts'
import { PERSON_NOT_FOUND, ROLE_MISSING } from '#manager/people/errors.ts'
import { isAdmin } from '#manager/people/roles.ts'
import type { Speaker } from '#manager/people/tokens.ts'
import type { Tables } from '#manager/store/tables.ts'

type Db = Kysely<Tables>

/** Whose a system and its keys are: a person, or a machine with a token of its own. */
export interface Owner {
  readonly id: string
  readonly name: string
}

const NOBODY = 'nobody'

export function ownerOf({ person, tokenId, name }: Speaker): Owner {
  return { id: person?.id ?? tokenId, name }
}

/** The owner with this e-mail address or id, or the only machine of this name. PERSON_NOT_FOUND. */
export async function findOwner(db: Db, text: string): Promise<Owner> {
  const person = await db
    .selectFrom('people')
    .select(['id', 'name'])
    .where(eb => eb.or([eb('email', '=', text.toLowerCase()), eb('id', '=', text)]))
    .executeTakeFirst()
  const machines = await db
    .selectFrom('tokens')
    .select(['id', 'name'])
    .where('person_id', 'is', null)
    .where(eb => eb.or([eb('id', '=', text), eb('name', '=', text)]))
    .execute()
  const [machine] = machines
  if (person ?? (machines.length === 1 ? machine : undefined)) {
    return (person ?? machine) as Owner
  }
  throw PERSON_NOT_FOUND(text)
}

/**
 * Whose a system is to be that somebody asks for: their own, or what an admin says. Whoever has no role anywhere, and
 * machines that are no admins, have none. ROLE_MISSING.
 */
export async function keeperFor(db: Db, speaker: Speaker, wanted: string | undefined): Promise<Owner> {
  const mayChoose = isAdmin(speaker)
  if (wanted !== undefined && mayChoose) {
    return await findOwner(db, wanted)
  }
  const isMember = speaker.role !== null || (await hasProject(db, speaker))
  if (wanted !== undefined || !(mayChoose || (speaker.person && isMember))) {
    throw ROLE_MISSING('admin', speaker.role)
  }
  return ownerOf(speaker)
}

async function hasProject(db: Db, { person }: Speaker): Promise<boolean> {
  const row =
    person &&
    (await db
      .selectFrom('members')
      .select('project_id')
      .where('person_id', '=', person.id)
      .executeTakeFirst())
  return row !== undefined
}

/** What owners are called now, by id: people with the address that tells them from others of their name. */
export async function ownerNames(
  db: Db,
  ids: readonly string[],
): Promise<ReadonlyMap<string, { readonly name: string; readonly email: string | null }>> {
  if (ids.length === 0) {
    return new Map()
  }
  const people = await db
    .selectFrom('people')
    .select(['id', 'name', 'email'])
    .where('id', 'in', ids)
    .execute()
  const machines = await db.selectFrom('tokens').select(['id', 'name']).where('id', 'in', ids).execute()
  const nobody = ids.map(id => [id, { name: NOBODY, email: null }] as const)
  return new Map<string, { readonly name: string; readonly email: string | null }>([
    ...nobody,
    ...machines.map(({ id, name }) => [id, { name, email: null }] as const),
    ...people.map(({ id, name, email }) => [id, { name, email }] as const),
  ])
}

/** Names of the systems of an owner. */
export async function namesOfSystems(db: Db, owner: string): Promise<string[]> {
  const rows = await db
    .selectFrom('systems')
    .innerJoin('apps', 'apps.id', 'systems.app_id')
    .select('apps.name')
    .where('systems.owner', '=', owner)
    .orderBy('apps.name')
    .execute()
  return rows.map(({ name }) => name)
}

/** Roles on apps where some are systems: those are their owner's and the admins', and are not there for anybody else. */
export async function withSystems(
  db: Db,
  speaker: Speaker,
  roles: ReadonlyMap<string, RoleName | null>,
): Promise<ReadonlyMap<string, RoleName | null>> {
  if (roles.size === 0 || speaker.role === 'admin') {
    return roles
  }
  const systems = await db
    .selectFrom('systems')
    .innerJoin('apps', 'apps.id', 'systems.app_id')
    .select(['apps.name', 'systems.owner'])
    .where('apps.name', 'in', [...roles.keys()])
    .execute()
  const { id } = ownerOf(speaker)
  return new Map([
    ...roles,
    ...systems.map(({ name, owner }) => [name, owner === id ? 'maintainer' : null] as const),
  ])
}
