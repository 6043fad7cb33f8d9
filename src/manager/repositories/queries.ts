import type { Kysely, Selectable } from 'kysely'
import { type ReportRow, reportOf } from '#manager/reporting/queries.ts'
import type { HookTable } from '#manager/store/hook-table.ts'
import type { RepositoryTable, Tables } from '#manager/store/tables.ts'
import { REPOSITORY_UNKNOWN } from './errors.ts'

type RepositoryRow = Selectable<RepositoryTable>

/** A repository's row with its webhook. */
export interface RepositoryRecord extends RepositoryRow {
  readonly hook: Selectable<HookTable> | undefined
  /** Name of its organisation. */
  readonly organisation: string | undefined
  readonly report: ReportRow | undefined
}

/** The row of the repository with this name, or REPOSITORY_UNKNOWN. */
export async function repositoryNamed(db: Kysely<Tables>, name: string): Promise<RepositoryRow> {
  const row = await db.selectFrom('repositories').selectAll().where('name', '=', name).executeTakeFirst()
  if (!row) {
    throw REPOSITORY_UNKNOWN(name)
  }
  return row
}

export async function readRepository(db: Kysely<Tables>, name: string): Promise<RepositoryRecord> {
  return await withHook(db, await repositoryNamed(db, name))
}

/** Repositories by name, after the last one of the page before. */
export async function listRepositories(
  db: Kysely<Tables>,
  page: {
    readonly after?: string | undefined
    readonly limit: number
    /** Names of all that may be seen; absent: everything. */
    readonly only?: readonly string[] | undefined
  },
): Promise<RepositoryRecord[]> {
  let query = db.selectFrom('repositories').selectAll().orderBy('name').limit(page.limit)
  if (page.after !== undefined) {
    query = query.where('name', '>', page.after)
  }
  if (page.only !== undefined) {
    query = query.where('name', 'in', page.only)
  }
  const rows = await query.execute()
  return await Promise.all(rows.map(row => withHook(db, row)))
}

async function withHook(db: Kysely<Tables>, row: RepositoryRow): Promise<RepositoryRecord> {
  const hook = await db.selectFrom('hooks').selectAll().where('repository_id', '=', row.id).executeTakeFirst()
  const organisation =
    row.organisation_id === null
      ? undefined
      : await db
          .selectFrom('organisations')
          .select('name')
          .where('id', '=', row.organisation_id)
          .executeTakeFirst()
  return { ...row, hook, organisation: organisation?.name, report: await reportOf(db, row.id) }
}
