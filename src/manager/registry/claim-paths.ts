import type { Kysely, Selectable } from 'kysely'
import type { AppTable, Tables } from '#manager/store/tables.ts'
import type { Plan, RegistryFacts } from '#targets/target.ts'
import { REGISTRY_PATH_TAKEN } from './errors.ts'

/** Where an app wants to push in the managed registry, whose account pushes anywhere. */
export interface PushedPaths {
  readonly app: Pick<Selectable<AppTable>, 'name' | 'repository_id'>
  readonly paths: readonly string[]
}

/** The paths of the managed registry that a plan pushes to. */
export function pushedPaths(plan: Pick<Plan, 'push'>, registry: RegistryFacts | undefined): string[] {
  if (!registry) {
    return []
  }
  const start = `${registry.address}/`
  const references = plan.push.flatMap(tell => referencesIn(tell.data))
  const own = references.filter(reference => reference.startsWith(start))
  return [...new Set(own.map(reference => reference.slice(start.length).replace(/[:@].*$/, '')))].sort()
}

/** Every `reference` of a command's data, however deep. */
function referencesIn(data: unknown): string[] {
  if (typeof data !== 'object' || data === null) {
    return []
  }
  return Object.entries(data).flatMap(([key, value]) =>
    key === 'reference' && typeof value === 'string' ? [value] : referencesIn(value),
  )
}

/**
 * Refuses a path that another repository pushed to first, or that is the name of another repository's app, whose images
 * are found there by their content. Gives the paths that nobody has taken yet.
 */
export async function refuseTakenPaths(db: Kysely<Tables>, wish: PushedPaths): Promise<readonly string[]> {
  const { app, paths } = wish
  if (paths.length === 0) {
    return []
  }
  const owners = await db
    .selectFrom('registry_paths')
    // A repository that is gone holds nothing.
    .innerJoin('repositories', 'repositories.id', 'registry_paths.repository_id')
    .leftJoin('apps', join =>
      join
        .onRef('apps.name', '=', 'registry_paths.app')
        .onRef('apps.repository_id', '=', 'registry_paths.repository_id'),
    )
    .select([
      'registry_paths.path',
      'registry_paths.app',
      'registry_paths.repository_id',
      'apps.id as holder',
    ])
    .where('registry_paths.path', 'in', paths)
    .execute()
  // An app that was removed there and made here anew keeps its own name.
  const held = owners.filter(each => each.holder !== null || each.path !== app.name)
  const free = paths.filter(path => !held.some(each => each.path === path))
  const named = free.length === 0 ? [] : await appsNamed(db, free)
  const taken = [...held, ...named].find(each => each.repository_id !== app.repository_id)
  if (taken) {
    throw REGISTRY_PATH_TAKEN(taken.path, taken.app)
  }
  return free
}

/** Takes the paths for the app's repository. */
export async function claimPaths(db: Kysely<Tables>, wish: PushedPaths, now: number): Promise<void> {
  const { app } = wish
  const free = await refuseTakenPaths(db, wish)
  const repository_id = app.repository_id
  if (free.length === 0 || repository_id === null) {
    return
  }
  await db
    .insertInto('registry_paths')
    .values(free.map(path => ({ path, repository_id, app: app.name, created_at: now })))
    .onConflict(conflict =>
      conflict
        .column('path')
        .doUpdateSet({ repository_id, app: app.name, created_at: now })
        .where(eb =>
          eb.or([
            eb('registry_paths.repository_id', 'not in', eb.selectFrom('repositories').select('id')),
            eb('registry_paths.path', '=', app.name),
          ]),
        ),
    )
    .execute()
  // Another deployment may have taken one in this moment.
  await refuseTakenPaths(db, wish)
}

async function appsNamed(db: Kysely<Tables>, paths: readonly string[]) {
  return await db
    .selectFrom('apps')
    .select(['name as path', 'name as app', 'repository_id'])
    .where('name', 'in', paths)
    .where('repository_id', 'is not', null)
    .execute()
}
