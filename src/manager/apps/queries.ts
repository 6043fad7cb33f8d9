import { type Kysely, type Selectable, sql } from 'kysely'
import { APP_NOT_FOUND } from '#manager/deployments/errors.ts'
import { compiledOnce } from '#manager/store/compiled-once.ts'
import type { AppTable, ReleaseTable, Tables } from '#manager/store/tables.ts'

/** An app's row with what is kept of it elsewhere. */
export interface AppRecord extends Selectable<AppTable> {
  readonly repository: string | null
  /** E-mail address. */
  readonly owner: string | null
  /** The one that it was put in itself. */
  readonly project: string | null
  /** When the worker of its host last told what runs there, and why not since. */
  readonly observed_at: number | null
  readonly unseen: string | null
  /** JSON of the engines of its host. */
  readonly engines: string | null
  readonly systems_unseen: string | null
  readonly cluster: string | null
  readonly domains: readonly string[]
  readonly release: Selectable<ReleaseTable> | undefined
}

export interface AppFilter {
  readonly repository?: string | undefined
  /** A part of their name: letters, digits and "-". */
  readonly search?: string | undefined
  /** Names of all that may be seen; absent: everything. */
  readonly only?: readonly string[] | undefined
  /** Name of the last one of the page before; ordered by name. */
  readonly after?: string | undefined
  readonly limit: number
}

/** The app with this name, or APP_NOT_FOUND. */
export async function readApp(db: Kysely<Tables>, name: string): Promise<AppRecord> {
  const row = await selectApps(db).where('apps.name', '=', name).executeTakeFirst()
  const [record] = row ? await withParts(db, [row]) : []
  if (!record) {
    throw APP_NOT_FOUND(name)
  }
  return record
}

export async function listApps(db: Kysely<Tables>, filter: AppFilter): Promise<AppRecord[]> {
  let query = selectApps(db).orderBy('apps.name').limit(filter.limit)
  if (filter.repository !== undefined) {
    query = query.where('repositories.name', '=', filter.repository)
  }
  if (filter.search !== undefined) {
    query = query.where('apps.name', 'like', `%${filter.search}%`)
  }
  if (filter.after !== undefined) {
    query = query.where('apps.name', '>', filter.after)
  }
  if (filter.only !== undefined) {
    query = query.where('apps.name', 'in', filter.only)
  }
  return await withParts(db, await query.execute())
}

/** Apps that are deployed from a repository: what a push to it concerns. */
export async function appsOfRepository(
  db: Kysely<Tables>,
  repositoryId: string,
): Promise<{ id: string; name: string }[]> {
  return await db
    .selectFrom('apps')
    .select(['id', 'name'])
    .where('repository_id', '=', repositoryId)
    .orderBy('id')
    .execute()
}

/** Releases of an app, newest first. */
export async function listReleases(
  db: Kysely<Tables>,
  appId: string,
  page: { readonly before?: string | undefined; readonly limit: number },
): Promise<Selectable<ReleaseTable>[]> {
  let query = db
    .selectFrom('releases')
    .selectAll()
    .where('app_id', '=', appId)
    .orderBy('id', 'desc')
    .limit(page.limit)
  if (page.before !== undefined) {
    query = query.where('id', '<', page.before)
  }
  return await query.execute()
}

function selectApps(db: Kysely<Tables>) {
  return db
    .selectFrom('apps')
    .leftJoin('repositories', 'repositories.id', 'apps.repository_id')
    .leftJoin('hosts', 'hosts.name', 'apps.host')
    .leftJoin('project_items', join =>
      join.onRef('project_items.item', '=', 'apps.id').on('project_items.kind', '=', 'app'),
    )
    .leftJoin('people', 'people.id', 'project_items.owner_id')
    .leftJoin('projects', 'projects.id', 'project_items.project_id')
    .selectAll('apps')
    .select(['people.email as owner', 'projects.name as project'])
    .select(['repositories.name as repository', 'hosts.observed_at', 'hosts.unseen', 'hosts.engines'])
    .select(['hosts.systems_unseen', 'hosts.cluster'])
}

type AppRow = Omit<AppRecord, 'domains' | 'release'>

/** Three statements for a whole page, however many apps are on it. */
async function withParts(db: Kysely<Tables>, rows: readonly AppRow[]): Promise<AppRecord[]> {
  if (rows.length === 0) {
    return []
  }
  const apps = JSON.stringify(rows.map(row => row.id))
  const domains = Map.groupBy(await domainsOf(db, { apps }), domain => domain.app_id)
  const releases = new Map((await newestReleases(db, { apps })).map(release => [release.app_id, release]))
  return rows.map(row => ({
    ...row,
    domains: (domains.get(row.id) ?? []).map(domain => domain.host),
    release: releases.get(row.id),
  }))
}

/** `apps`: JSON of a list of ids, so that a list of every length is the same statement. */
const domainsOf = compiledOnce((db, { apps }: { readonly apps: string }) =>
  db
    .selectFrom('domains')
    .selectAll()
    .where('app_id', 'in', sql<string>`(select value from json_each(${apps}))`)
    .orderBy('app_id')
    .orderBy('host'),
)

const newestReleases = compiledOnce((db, { apps }: { readonly apps: string }) =>
  db
    .selectFrom('releases')
    .selectAll()
    .where('id', 'in', eb =>
      eb
        .selectFrom('apps as shown')
        .select(of =>
          of
            .selectFrom('releases as newest')
            .select(({ fn }) => fn.max('newest.id').as('id'))
            .whereRef('newest.app_id', '=', 'shown.id')
            .as('id'),
        )
        .where('shown.id', 'in', sql<string>`(select value from json_each(${apps}))`),
    ),
)
