import type { Kysely } from 'kysely'
import type { RoleName } from '#contract/rest/people.ts'
import type { ItemKind } from '#contract/rest/projects.ts'
import type { Tables } from '#manager/store/tables.ts'
import { namesOfSystems, ownerOf, withSystems } from '#manager/systems/owners.ts'
import { highest } from './roles.ts'
import type { Speaker } from './tokens.ts'

/** What of these there is, by name, and which role the speaker has there: everywhere, in its project, or more as its owner. */
export async function rolesOn(
  db: Kysely<Tables>,
  speaker: Speaker,
  kind: ItemKind,
  names: readonly string[],
): Promise<ReadonlyMap<string, RoleName | null>> {
  if (names.length === 0) {
    return new Map()
  }
  const [places, roles] = [await placesOf(db, kind, [...new Set(names)]), await rolesInProjects(db, speaker)]
  const found = new Map(
    places.map(({ name, project, owners }) => {
      const role = highest(speaker.role, roles.get(project ?? ''))
      const isOwner = speaker.person !== undefined && owners.includes(speaker.person.id)
      // Who has no role there any more has been taken out, also of what they made.
      return [name, role !== null && isOwner ? highest(role, 'maintainer') : role]
    }),
  )
  return kind === 'app' ? await withSystems(db, speaker, found) : found
}

/** Names of all that a speaker without a role everywhere sees. */
export async function seenNames(
  db: Kysely<Tables>,
  speaker: Speaker,
  kind: ItemKind,
): Promise<readonly string[]> {
  const projects = [...(await rolesInProjects(db, speaker)).keys()]
  const own = kind === 'app' ? await namesOfSystems(db, ownerOf(speaker).id) : []
  if (projects.length === 0) {
    return own
  }
  const rows =
    kind === 'repository'
      ? await placedRepositories(db).where('own.project_id', 'in', projects).execute()
      : await placedApps(db)
          .where(({ fn }) => fn.coalesce('own.project_id', 'all.project_id'), 'in', projects)
          .execute()
  return [...rows.map(({ name }) => name), ...own]
}

/** Whether who speaks may see it at all, also with what they have shown. */
export async function maySee(
  db: Kysely<Tables>,
  speaker: Speaker,
  kind: ItemKind,
  name: string,
): Promise<boolean> {
  const mayRead = speaker.scopes?.includes('read') ?? true
  const isSeen = async () => ((await rolesOn(db, speaker, kind, [name])).get(name) ?? null) !== null
  return mayRead && (speaker.role !== null || (await isSeen()))
}

/** The projects in which a speaker has a role, by id. */
export async function rolesInProjects(
  db: Kysely<Tables>,
  { person, projects }: Speaker,
): Promise<ReadonlyMap<string, RoleName>> {
  if (projects) {
    return projects
  }
  const rows = person
    ? await db.selectFrom('members').selectAll().where('person_id', '=', person.id).execute()
    : []
  return new Map(rows.map(({ project_id, role }) => [project_id, role]))
}

interface Place {
  readonly name: string
  readonly project: string | null
  readonly owners: readonly (string | null)[]
}

async function placesOf(db: Kysely<Tables>, kind: ItemKind, names: readonly string[]): Promise<Place[]> {
  if (kind === 'repository') {
    const rows = await placedRepositories(db).where('repositories.name', 'in', names).execute()
    return rows.map(({ name, project_id, owner_id }) => ({ name, project: project_id, owners: [owner_id] }))
  }
  const rows = await placedApps(db).where('apps.name', 'in', names).execute()
  return rows.map(({ name, own_project, project, owner, repository_owner }) => ({
    name,
    project: own_project ?? project,
    owners: [owner, repository_owner],
  }))
}

function placedRepositories(db: Kysely<Tables>) {
  return db
    .selectFrom('repositories')
    .leftJoin('project_items as own', join =>
      join.onRef('own.item', '=', 'repositories.id').on('own.kind', '=', 'repository'),
    )
    .select(['repositories.name', 'own.project_id', 'own.owner_id'])
}

function placedApps(db: Kysely<Tables>) {
  return db
    .selectFrom('apps')
    .leftJoin('project_items as own', join =>
      join.onRef('own.item', '=', 'apps.id').on('own.kind', '=', 'app'),
    )
    .leftJoin('project_items as all', join =>
      join.onRef('all.item', '=', 'apps.repository_id').on('all.kind', '=', 'repository'),
    )
    .select([
      'apps.name',
      'own.project_id as own_project',
      'all.project_id as project',
      'own.owner_id as owner',
      'all.owner_id as repository_owner',
    ])
}
