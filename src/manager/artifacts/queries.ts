import type { Kysely, Selectable } from 'kysely'
import type { ArtifactTable } from '#manager/store/artifact-table.ts'
import type { Tables } from '#manager/store/tables.ts'
import { ARTIFACT_NOT_FOUND, SERVICE_UNKNOWN } from './errors.ts'

export type ArtifactRow = Selectable<ArtifactTable>

export interface ArtifactFilter {
  readonly app?: string | undefined
  readonly serviceName?: string | undefined
  readonly version?: string | undefined
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
  return await query.execute()
}

/** The artefact with this id, or ARTIFACT_NOT_FOUND. */
export async function readArtifact(db: Kysely<Tables>, id: string): Promise<ArtifactRow> {
  const row = await db.selectFrom('artifacts').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) {
    throw ARTIFACT_NOT_FOUND(id)
  }
  return row
}

/** Name of the app that makes a service, or SERVICE_UNKNOWN. */
export async function appOfService(db: Kysely<Tables>, service: string): Promise<string> {
  const app = await findAppOfService(db, service)
  if (app === undefined) {
    throw SERVICE_UNKNOWN(service)
  }
  return app
}

/** The app of that name, or the one that made the service last. */
export async function findAppOfService(db: Kysely<Tables>, service: string): Promise<string | undefined> {
  const named = await db.selectFrom('apps').select('name').where('name', '=', service).executeTakeFirst()
  const made =
    named ??
    (await db
      .selectFrom('artifacts')
      .innerJoin('apps', 'apps.name', 'artifacts.app')
      .select('apps.name')
      .where('artifacts.service_name', '=', service)
      .orderBy('artifacts.id', 'desc')
      .limit(1)
      .executeTakeFirst())
  return made?.name
}
