import type { Kysely } from 'kysely'
import type { RoleName } from '#contract/rest/people.ts'
import type { ItemBody, ItemKind, ProjectDetail } from '#contract/rest/projects.ts'
import type { Clock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { APP_NOT_FOUND } from '#manager/deployments/errors.ts'
import { REPOSITORY_UNKNOWN } from '#manager/repositories/errors.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { rolesInProjects } from './access.ts'
import { PROJECT_EXISTS, PROJECT_NOT_FOUND } from './errors.ts'
import { personWithEmail } from './manage.ts'
import { highest } from './roles.ts'
import type { Speaker } from './tokens.ts'

type Db = Kysely<Tables>

/** Those in which the speaker has a role; who has one everywhere sees all. */
export async function listProjects(
  db: Db,
  speaker: Speaker,
): Promise<{ name: string; role: RoleName | null }[]> {
  const rows = await db.selectFrom('projects').select(['id', 'name']).orderBy('name').execute()
  const roles = await rolesInProjects(db, speaker)
  return rows
    .map(({ id, name }) => ({ name, role: highest(speaker.role, roles.get(id)) }))
    .filter(({ role }) => role !== null)
}

/** Those of which who speaks is a member. */
export async function ownProjects(db: Db, speaker: Speaker): Promise<{ name: string; role: RoleName }[]> {
  const roles = await rolesInProjects(db, speaker)
  if (roles.size === 0) {
    return []
  }
  const rows = await db
    .selectFrom('projects')
    .select(['id', 'name'])
    .where('id', 'in', [...roles.keys()])
    .orderBy('name')
    .execute()
  return rows.map(({ id, name }) => ({ name, role: roles.get(id) as RoleName }))
}

export async function projectNamed(db: Db, name: string): Promise<{ readonly id: string }> {
  const row = await db.selectFrom('projects').select('id').where('name', '=', name).executeTakeFirst()
  if (!row) {
    throw PROJECT_NOT_FOUND(name)
  }
  return row
}

export async function addProject({ db, clock }: { readonly db: Db; readonly clock: Clock }, name: string) {
  await inTransaction(db, async inside => {
    if (await inside.selectFrom('projects').select('id').where('name', '=', name).executeTakeFirst()) {
      throw PROJECT_EXISTS(name)
    }
    await inside.insertInto('projects').values({ id: newId(), name, created_at: clock.now() }).execute()
  })
}

/** Its apps stay, and are then for those who have a role everywhere. */
export async function removeProject(db: Db, name: string): Promise<void> {
  const { id } = await projectNamed(db, name)
  await db.deleteFrom('projects').where('id', '=', id).execute()
}

export async function readProject(db: Db, name: string): Promise<ProjectDetail> {
  const { id } = await projectNamed(db, name)
  const members = await db
    .selectFrom('members')
    .innerJoin('people', 'people.id', 'members.person_id')
    .select(['people.name', 'people.email', 'members.role'])
    .where('members.project_id', '=', id)
    .orderBy('people.email')
    .execute()
  const items = await db
    .selectFrom('project_items')
    .leftJoin('apps', 'apps.id', 'project_items.item')
    .leftJoin('repositories', 'repositories.id', 'project_items.item')
    .leftJoin('people', 'people.id', 'project_items.owner_id')
    .select(['project_items.kind', 'apps.name as app', 'repositories.name as repository', 'people.email'])
    .where('project_items.project_id', '=', id)
    .orderBy('project_items.kind')
    .execute()
  return {
    name,
    members,
    items: items.map(({ kind, app, repository, email }) => ({
      kind,
      name: app ?? repository ?? '',
      owner: email,
    })),
  }
}

export async function setMember(
  db: Db,
  project: string,
  { email, role }: { readonly email: string; readonly role: RoleName | null },
): Promise<void> {
  const [{ id: project_id }, { id: person_id }] = [
    await projectNamed(db, project),
    await personWithEmail(db, email),
  ]
  await inTransaction(db, async inside => {
    await inside
      .deleteFrom('members')
      .where('project_id', '=', project_id)
      .where('person_id', '=', person_id)
      .execute()
    if (role !== null) {
      await inside.insertInto('members').values({ project_id, person_id, role }).execute()
    }
  })
}

/** Brings an app or a repository into a project, out of the one where it was. */
export async function setItem(db: Db, project: string, { kind, name, owner }: ItemBody): Promise<void> {
  const { id: project_id } = await projectNamed(db, project)
  const item = await idOf(db, kind, name)
  const owner_id = owner ? (await personWithEmail(db, owner)).id : null
  await db
    .insertInto('project_items')
    .values({ kind, item, project_id, owner_id })
    .onConflict(conflict =>
      conflict
        .columns(['kind', 'item'])
        .doUpdateSet(owner === undefined ? { project_id } : { project_id, owner_id }),
    )
    .execute()
}

/** It is in no project from then on; its owner stays noted. */
export async function removeItem(db: Db, project: string, kind: ItemKind, name: string): Promise<void> {
  const { id } = await projectNamed(db, project)
  const item = await idOf(db, kind, name)
  await db
    .updateTable('project_items')
    .set({ project_id: null })
    .where('kind', '=', kind)
    .where('item', '=', item)
    .where('project_id', '=', id)
    .execute()
}

/** Who makes something owns it. */
export async function noteOwner(
  db: Db,
  { person }: Speaker,
  item: { kind: ItemKind; id: string },
): Promise<void> {
  if (person) {
    await db
      .insertInto('project_items')
      .values({ kind: item.kind, item: item.id, project_id: null, owner_id: person.id })
      .onConflict(conflict => conflict.doNothing())
      .execute()
  }
}

/** Somebody else may do with an app what a maintainer may, or nobody on their own; where it belongs stays. */
export async function handOverApp(db: Db, id: string, email: string | null): Promise<void> {
  const owner_id = email === null ? null : (await personWithEmail(db, email)).id
  await db
    .insertInto('project_items')
    .values({ kind: 'app', item: id, project_id: null, owner_id })
    .onConflict(conflict => conflict.columns(['kind', 'item']).doUpdateSet({ owner_id }))
    .execute()
}

async function idOf(db: Db, kind: ItemKind, name: string): Promise<string> {
  const table = kind === 'app' ? 'apps' : 'repositories'
  const row = await db.selectFrom(table).select('id').where('name', '=', name).executeTakeFirst()
  if (!row) {
    throw kind === 'app' ? APP_NOT_FOUND(name) : REPOSITORY_UNKNOWN(name)
  }
  return row.id
}
