import type { Kysely, Selectable } from 'kysely'
import type { ArtifactTable } from '#manager/store/artifact-table.ts'
import type { Tables } from '#manager/store/tables.ts'
import { ARTIFACT_NOT_FOUND, SERVICE_UNKNOWN } from './errors.ts'
import { ownerOfService, type ServiceName } from './service-names.ts'

export type ArtifactRow = Selectable<ArtifactTable>

export interface ArtifactFilter {
  readonly app?: string | undefined
  readonly serviceName?: string | undefined
  readonly version?: string | undefined
  /** Names of the apps that may be seen; absent: all. */
  readonly only?: readonly string[] | undefined
  /** Id of the last one of the page before; newest come first. */
  readonly before?: string | undefined
  readonly limit: number
}

export async function listArtifacts(db: Kysely<Tables>, filter: ArtifactFilter): Promise<ArtifactRow[]> {
  let query = db.selectFrom('artifacts').selectAll().orderBy('id', 'desc').limit(filter.limit)
  if (filter.app !== undefined) {
    query = query.where('app', '=', filter.app)
  }
  if (filter.serviceName !== undefined) {
    query = query.where('service_name', '=', filter.serviceName)
  }
  if (filter.version !== undefined) {
    query = query.where('version', '=', filter.version)
  }
  if (filter.before !== undefined) {
    query = query.where('id', '<', filter.before)
  }
  const { only } = filter
  if (only !== undefined) {
    query = query.where('id', 'in', madeByPresent(db).where('apps.name', 'in', only))
  }
  return await query.execute()
}

/** The app that made an artefact, while it is there: not another one that has its name now. */
export async function makerOf(db: Kysely<Tables>, id: string): Promise<string | undefined> {
  const row = await madeByPresent(db).select('apps.name').where('made.id', '=', id).executeTakeFirst()
  return row?.name
}

function madeByPresent(db: Kysely<Tables>) {
  return db
    .selectFrom('artifacts as made')
    .innerJoin('apps', join =>
      join
        .onRef('apps.name', '=', 'made.app')
        .onRef('apps.repository_id', 'is not distinct from', 'made.repository_id'),
    )
    .select('made.id')
}

/** The artefact with this id, or ARTIFACT_NOT_FOUND. */
export async function readArtifact(db: Kysely<Tables>, id: string): Promise<ArtifactRow> {
  const row = await db.selectFrom('artifacts').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) {
    throw ARTIFACT_NOT_FOUND(id)
  }
  return row
}

/** Takes an artefact out of the list, or ARTIFACT_NOT_FOUND. Its image stays where it is; the next prune may take it. */
export async function forgetArtifact(db: Kysely<Tables>, id: string): Promise<void> {
  await readArtifact(db, id)
  await db.deleteFrom('artifacts').where('id', '=', id).execute()
}

/** Name of the app that makes a service, or SERVICE_UNKNOWN. */
export async function appOfService(db: Kysely<Tables>, service: string): Promise<string> {
  const app = await findAppOfService(db, service)
  if (app === undefined) {
    throw SERVICE_UNKNOWN(service)
  }
  return app
}

/** The app that made the service last, of the repository that has its name; the app of that name where nobody has it. */
export async function findAppOfService(db: Kysely<Tables>, service: string): Promise<string | undefined> {
  const owner = await ownerOfService(db, service)
  if (owner) {
    return (await lastMaker(db, service, owner.repository_id)) ?? (await firstMaker(db, service, owner))
  }
  const named = await db.selectFrom('apps').select('name').where('name', '=', service).executeTakeFirst()
  return named?.name ?? (await lastMaker(db, service))
}

async function lastMaker(
  db: Kysely<Tables>,
  service: string,
  repository?: string,
): Promise<string | undefined> {
  let query = db
    .selectFrom('artifacts')
    .innerJoin('apps', join =>
      join
        .onRef('apps.name', '=', 'artifacts.app')
        .onRef('apps.repository_id', 'is not distinct from', 'artifacts.repository_id'),
    )
    .select('apps.name')
    .where('artifacts.service_name', '=', service)
    .orderBy('artifacts.id', 'desc')
    .limit(1)
  if (repository !== undefined) {
    query = query.where('apps.repository_id', '=', repository)
  }
  return (await query.executeTakeFirst())?.name
}

/** Nothing has been made yet. */
async function firstMaker(
  db: Kysely<Tables>,
  service: string,
  owner: ServiceName,
): Promise<string | undefined> {
  const found = await db
    .selectFrom('apps')
    .select('name')
    .where('name', '=', owner.app ?? service)
    .where('repository_id', '=', owner.repository_id)
    .executeTakeFirst()
  return found?.name
}
