import type { Kysely, Selectable } from 'kysely'
import type { NotebookTable } from '#manager/store/notebook-tables.ts'
import type { Tables } from '#manager/store/tables.ts'
import { NOTEBOOK_NOT_FOUND } from './errors.ts'

export interface NotebookRecord extends Selectable<NotebookTable> {
  readonly repository: string
  readonly written: string | null
  readonly problem: string | null
  /** Of what its worker saw last. */
  readonly observed: string | null
  /** Of its deployments one is at work. */
  readonly at_work: number
}

export interface NotebookFilter {
  readonly search?: string | undefined
  readonly repository?: string | undefined
  readonly tag?: string | undefined
  /** Names of the repositories that may be seen; absent: all. */
  readonly only?: readonly string[] | undefined
  /** Slug of the last one of the page before. */
  readonly after?: string | undefined
  readonly limit: number
}

/** By slug. */
export async function listNotebooks(
  db: Kysely<Tables>,
  { search = '', repository, tag, only, after, limit }: NotebookFilter,
): Promise<NotebookRecord[]> {
  let query = notebooks(db).orderBy('notebooks.app').limit(limit)
  if (after !== undefined) {
    query = query.where('notebooks.app', '>', after)
  }
  if (only !== undefined) {
    query = query.where('repositories.name', 'in', only)
  }
  if (repository !== undefined) {
    query = query.where('repositories.name', '=', repository)
  }
  if (tag !== undefined) {
    query = query.where('notebooks.tags', 'like', like(JSON.stringify(tag)))
  }
  for (const word of search.split(/\s+/).filter(each => each !== '')) {
    const pattern = like(word)
    query = query.where(eb =>
      eb.or(
        (['title', 'folder', 'app', 'tags'] as const).map(column =>
          eb(`notebooks.${column}`, 'like', pattern),
        ),
      ),
    )
  }
  return await query.execute()
}

/** The project with this slug, or NOTEBOOK_NOT_FOUND. */
export async function readNotebook(db: Kysely<Tables>, slug: string): Promise<NotebookRecord> {
  const row = await notebooks(db).where('notebooks.app', '=', slug).executeTakeFirst()
  if (!row) {
    throw NOTEBOOK_NOT_FOUND(`"${slug}"`)
  }
  return row
}

function notebooks(db: Kysely<Tables>) {
  return db
    .selectFrom('notebooks')
    .innerJoin('repositories', 'repositories.id', 'notebooks.repository_id')
    .leftJoin('notebook_links', 'notebook_links.repository_id', 'notebooks.repository_id')
    .leftJoin('apps', 'apps.name', 'notebooks.app')
    .selectAll('notebooks')
    .select(eb => [
      'repositories.name as repository',
      'notebook_links.written',
      'notebook_links.problem',
      'apps.observed',
      eb
        .selectFrom('deployments')
        .select(eb.fn.countAll<number>().as('count'))
        .whereRef('deployments.app_id', '=', 'apps.id')
        .where('deployments.state', '=', 'running')
        .as('at_work'),
    ])
    .$castTo<NotebookRecord>()
}

/** SQLite knows no letter but the wild ones; where one is asked for, any letter there is found as well. */
function like(text: string): string {
  return `%${text.replace(/[%_]/g, '_')}%`
}
