import type { DatabaseSync } from 'node:sqlite'

export interface TableOfFile {
  readonly name: string
  readonly columns: readonly string[]
}

/** Our tables in a file of SQLite, but the one of migrations. */
export function tablesOf(database: DatabaseSync): readonly TableOfFile[] {
  return database
    .prepare(
      `select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\'
        and name <> 'migrations' order by name`,
    )
    .all()
    .map(({ name }) => ({
      name: String(name),
      columns: database
        .prepare(`select name from pragma_table_info(?)`)
        .all(String(name))
        .map(column => String(column.name)),
    }))
}
