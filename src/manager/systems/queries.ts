import type { Kysely } from 'kysely'
import { type AppRecord, readApp } from '#manager/apps/queries.ts'
import { APP_NOT_FOUND } from '#manager/deployments/errors.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { SystemSettings } from '#targets/system-settings.ts'
import type { BackupSchedule } from './due-backups.ts'
import { SYSTEM_NOT_FOUND } from './errors.ts'
import { type Owner, ownerNames } from './owners.ts'

type Db = Kysely<Tables>

/** A system container: its app with what is wanted of it and whose it is. */
export interface SystemRecord {
  readonly app: AppRecord
  readonly owner: Owner
  readonly settings: SystemSettings
  readonly backups: BackupSchedule | null
}

/** The system with this name, or SYSTEM_NOT_FOUND. */
export async function readSystem(db: Db, name: string): Promise<SystemRecord> {
  const app = await readApp(db, name).catch(error => {
    throw APP_NOT_FOUND.matches(error) ? SYSTEM_NOT_FOUND(name) : error
  })
  const row = await db.selectFrom('systems').selectAll().where('app_id', '=', app.id).executeTakeFirst()
  if (!row) {
    throw SYSTEM_NOT_FOUND(name)
  }
  return await recordOf(db, app, row)
}

export async function listSystems(db: Db, owner?: string): Promise<SystemRecord[]> {
  let query = db
    .selectFrom('systems')
    .innerJoin('apps', 'apps.id', 'systems.app_id')
    .select(['apps.name', 'systems.owner', 'systems.backup_schedule'])
    .orderBy('apps.name')
  if (owner !== undefined) {
    query = query.where('systems.owner', '=', owner)
  }
  const rows = await query.execute()
  const records: SystemRecord[] = []
  for (const row of rows) {
    const app = await readApp(db, row.name)
    records.push(await recordOf(db, app, row))
  }
  return records
}

async function recordOf(
  db: Db,
  app: AppRecord,
  { owner: id, backup_schedule }: { readonly owner: string; readonly backup_schedule: string | null },
): Promise<SystemRecord> {
  const { name = '' } = (await ownerNames(db, [id])).get(id) ?? {}
  const backups = backup_schedule === null ? null : (JSON.parse(backup_schedule) as BackupSchedule)
  return { app, owner: { id, name }, settings: settingsIn(app), backups }
}

export function settingsIn({ overrides }: { readonly overrides: string }): SystemSettings {
  return JSON.parse(overrides) as SystemSettings
}
