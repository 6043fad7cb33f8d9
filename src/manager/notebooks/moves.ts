import type { Kysely } from 'kysely'
import type { ReadApp } from '#deploy-file/read-apps.ts'
import { hostOfPlace } from '#lib/place.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { FoundProject } from '#targets/notebook-project.ts'

/** So long whoever asks for the old address is led to the new one. */
export const LED_MS = 30 * 24 * 3_600_000

export interface NewNotebook {
  readonly repository: string
  readonly app: ReadApp
  /** All that the repository describes now. */
  readonly described: readonly ReadApp[]
  readonly now: number
}

/**
 * A notebook project with a new name: notes the one that it had, when its folder has another one now, or its files lie in
 * another folder. Inside the transaction that creates it, before it is given its slug.
 */
export async function noteMove(
  db: Kysely<Tables>,
  { repository, app, described, now }: NewNotebook,
): Promise<void> {
  await endMoveOf(db, app.name)
  const old = await appBefore(db, { repository, app, described })
  if (!old) {
    return
  }
  const rows = await db
    .selectFrom('domains')
    .select('host')
    .where('app_id', '=', old.id)
    .orderBy('host')
    .execute()
  const places = rows.map(({ host }) => host)
  const [first = ''] = places
  await put(db, {
    ...{ from_app: old.name, to_app: app.name, host: old.host, until: now + LED_MS },
    hosts: places.map(hostOfPlace),
    prefix: first.includes('/') ? first.slice(hostOfPlace(first).length) : null,
  })
}

/** The same for one that has a page and no server: its address is the manager's. */
export async function noteShownMove(
  db: Kysely<Tables>,
  { from, to, now }: { readonly from: string; readonly to: string; readonly now: number },
): Promise<void> {
  await endMoveOf(db, to)
  await put(db, { from_app: from, to_app: to, host: '', until: now + LED_MS, hosts: [], prefix: null })
}

/** Somebody has this name again: whoever asks for it is led nowhere else. */
async function endMoveOf(db: Kysely<Tables>, name: string): Promise<void> {
  await db.updateTable('notebook_moves').set({ until: 0 }).where('from_app', '=', name).execute()
}

async function put(
  db: Kysely<Tables>,
  {
    hosts,
    ...move
  }: { from_app: string; to_app: string; host: string; until: number; prefix: string | null } & {
    readonly hosts: readonly string[]
  },
): Promise<void> {
  const row = { ...move, hosts: JSON.stringify(hosts) }
  // What had moved to the name before moves on with it.
  await db
    .updateTable('notebook_moves')
    .set({ to_app: move.to_app })
    .where('to_app', '=', move.from_app)
    .where('from_app', '!=', move.to_app)
    .execute()
  await db
    .insertInto('notebook_moves')
    .values(row)
    .onConflict(conflict => conflict.column('from_app').doUpdateSet(row))
    .execute()
}

/** The app of the same folder; or that of a folder that is gone, with the same files. */
async function appBefore(
  db: Kysely<Tables>,
  { repository, app: { name, files }, described }: Omit<NewNotebook, 'now'>,
) {
  const [folder] = files?.kind === 'notebook' ? files.paths : []
  if (folder === undefined) {
    return undefined
  }
  const rows = await db
    .selectFrom('notebook_slugs')
    .innerJoin('apps', 'apps.name', 'notebook_slugs.slug')
    .select(['apps.id', 'apps.name', 'apps.host', 'folder'])
    .where('notebook_slugs.repository_id', '=', repository)
    .where('apps.repository_id', '=', repository)
    .where('apps.by_files', '=', 'notebook')
    .where('apps.name', '!=', name)
    .where(eb => eb.or([eb('folder', '=', folder), eb('content', '=', files?.content ?? '')]))
    .orderBy('folder')
    .execute()
  const present = new Set(
    described.flatMap(each => (each.files?.kind === 'notebook' ? each.files.paths : [])),
  )
  return rows.find(each => each.folder === folder) ?? rows.find(each => !present.has(each.folder))
}

/** Notes what the projects of the newest commit are made of, so that one is known again in another folder. */
export async function noteContents(
  db: Kysely<Tables>,
  repository: string,
  projects: readonly FoundProject[],
): Promise<void> {
  const now = new Map(projects.map(({ folder, contentHash }) => [folder, contentHash]))
  const rows = await db
    .selectFrom('notebook_slugs')
    .select(['folder', 'content'])
    .where('repository_id', '=', repository)
    .execute()
  for (const { folder, content } of rows) {
    const hash = now.get(folder)
    if (hash !== undefined && hash !== content) {
      await db
        .updateTable('notebook_slugs')
        .set({ content: hash })
        .where('repository_id', '=', repository)
        .where('folder', '=', folder)
        .execute()
    }
  }
}

/** The name that a project has now which had this one lately; undefined: nobody knows, or another one has it. */
export async function movedTo(db: Kysely<Tables>, name: string, now: number): Promise<string | undefined> {
  const row = await db
    .selectFrom('notebook_moves')
    .innerJoin('notebooks', 'notebooks.app', 'notebook_moves.to_app')
    .select('to_app')
    .where('from_app', '=', name)
    .where('until', '>', now)
    .where('notebooks.status', '!=', 'removed')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('notebooks as own')
            .select('own.app')
            .whereRef('own.app', '=', 'notebook_moves.from_app')
            .where('own.status', '!=', 'removed'),
        ),
      ),
    )
    .executeTakeFirst()
  return row?.to_app
}
