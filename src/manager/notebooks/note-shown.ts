import type { Insertable, Selectable, Updateable } from 'kysely'
import { toWire } from '#lib/errors.ts'
import { linksPlace, type PuttingContext, putIn, replaceEarlier } from '#manager/outbox/put.ts'
import { type DescribedApps, invalid } from '#manager/pipeline/described-apps.ts'
import type { NotebookTable } from '#manager/store/notebook-tables.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { lineageOf } from '#manager/triggers/lineage.ts'
import type { FoundProject } from '#targets/notebook-project.ts'
import { errorLine } from './error-line.ts'
import { noteContents, noteShownMove } from './moves.ts'
import { GATHERED_MS, toldOf } from './note-notebook.ts'

type Row = Selectable<NotebookTable>
type Shown = NonNullable<DescribedApps['shown']>

interface Seen {
  readonly shown?: Shown | undefined
  readonly notebooks?: ReadonlySet<string> | undefined
  /** The newest commit of the branch. */
  readonly commit: string
}

/** Scans that were noted: a push asks with each of its projects, and they all have the same one. */
const noted = new WeakSet<object>()

/**
 * Writes down the projects of a commit that have no server: those that are only guessed, that want none, or whose nb.yaml
 * is wrong and of which there is no app. They have a page, and where somebody asked for it a URL.md.
 */
export async function noteShown(
  context: PuttingContext,
  repository: Pick<Selectable<RepositoryTable>, 'id'>,
  seen: Seen,
): Promise<void> {
  const { shown } = seen
  if (!shown || noted.has(shown.scan)) {
    return
  }
  await inTransaction(context.db, async db => {
    const inside = { ...context, db }
    const changed = await noteAll(inside, repository.id, { ...seen, projects: shown.projects })
    await noteContents(db, repository.id, shown.scan.projects)
    if (changed) {
      const about = { place: linksPlace(repository.id), subject: '' }
      await replaceEarlier(inside, about)
      await putIn(inside, [{ ...about, payload: {}, delayMs: GATHERED_MS }])
    }
  })
  noted.add(shown.scan)
}

/** Whether anything is another than URL.md says. */
async function noteAll(
  context: PuttingContext,
  repositoryId: string,
  { projects, notebooks, commit }: Seen & { readonly projects: readonly FoundProject[] },
): Promise<boolean> {
  const { db, clock } = context
  const slugs = projects.map(({ slug }) => slug)
  const known = await db
    .selectFrom('notebooks')
    .selectAll()
    .where(eb =>
      eb.or([
        eb.and([eb('repository_id', '=', repositoryId), eb('shown', 'is not', null)]),
        ...(slugs.length > 0 ? [eb('app', 'in', slugs)] : []),
      ]),
    )
    .execute()
  const names = [...new Set([...slugs, ...known.map(({ app }) => app)])]
  const apps =
    names.length === 0
      ? []
      : await db.selectFrom('apps').select(['name', 'repository_id']).where('name', 'in', names).execute()
  const owners = new Map([...known.map(row => [row.app, row.repository_id] as const)])
  const served = new Map(apps.map(({ name, repository_id: owner }) => [name, owner]))
  const before = new Map(known.map(row => [row.app, row]))
  const { origin } = projects.length > 0 ? await lineageOf(db, repositoryId, commit) : { origin: commit }
  let changed = false
  for (const project of projects) {
    const { slug } = project
    const row = before.get(slug)
    const owner = served.has(slug) ? served.get(slug) : owners.get(slug)
    if (owner !== undefined && owner !== repositoryId) {
      continue
    }
    if (served.has(slug)) {
      // Its page stays when its server goes. One that is wrong keeps its server, and its deployment says why it fails.
      await db.updateTable('notebooks').set(besideServer(project, commit)).where('app', '=', slug).execute()
      continue
    }
    const next = rowOf(project, { before: row, repositoryId, commit, origin })
    if (row && JSON.stringify({ ...row, ...next }) === JSON.stringify(row)) {
      continue
    }
    const values = { ...next, updated_at: clock.now() }
    await db
      .insertInto('notebooks')
      .values(values)
      .onConflict(conflict => conflict.column('app').doUpdateSet(values))
      .execute()
    changed ||= !row || toldOf(row) !== toldOf({ ...row, ...next })
  }
  const gone = known.filter(({ app, shown }) => shown !== null && !slugs.includes(app))
  for (const { app, folder, tree } of gone) {
    const isIt = (each: FoundProject) => each.folder === folder || treeOf(each) === tree
    const moved = projects.find(each => !before.has(each.slug) && isIt(each))
    if (moved && !served.has(app)) {
      await noteShownMove(db, { from: app, to: moved.slug, now: clock.now() })
    }
    const isServed = served.has(app) || notebooks?.has(app) === true
    await db
      .updateTable('notebooks')
      .set({ shown: null, ...(isServed ? {} : { status: 'removed', url: null, updated_at: clock.now() }) })
      .where('app', '=', app)
      .execute()
    changed ||= !isServed
  }
  return changed
}

/** What its page needs once the server is gone: the files of a commit that the worker has. */
function besideServer(project: FoundProject, commit: string): Updateable<NotebookTable> {
  const shown = kindOf(project)
  return shown === 'broken'
    ? { shown: null }
    : {
        ...{ shown, entry: project.entry, seen_commit: commit, blobs: null },
        notebooks: JSON.stringify(project.shown?.notebooks ?? []),
      }
}

function kindOf({ wrong, serves }: FoundProject): NonNullable<Row['shown']> {
  return wrong ? 'broken' : serves ? 'static' : 'guessed'
}

function treeOf({ contentHash }: Pick<FoundProject, 'contentHash'>): string {
  return `s-${contentHash.slice(0, 24)}`
}

interface RowContext {
  readonly before: Row | undefined
  readonly repositoryId: string
  readonly commit: string
  /** The commit that a person made, where this one is ours. */
  readonly origin: string
}

function rowOf(
  { slug, folder, entry, settings, contentHash, wrong, shown, title, serves }: FoundProject,
  { before, repositoryId, commit, origin }: RowContext,
): Omit<Insertable<NotebookTable>, 'updated_at'> {
  const tree = treeOf({ contentHash })
  const isSame = before?.tree === tree && before.commit !== null
  const isSeen = before?.seen_commit === commit
  return {
    app: slug,
    repository_id: repositoryId,
    folder,
    title: shown?.title ?? title,
    entry,
    notebooks: JSON.stringify(shown?.notebooks ?? []),
    language: shown?.language ?? 'python',
    tags: JSON.stringify(settings.tags ?? []),
    mode: 'static',
    status: wrong ? 'failed' : 'preview',
    url: null,
    commit: wrong ? null : isSame ? before.commit : origin,
    tree: wrong ? null : tree,
    image: null,
    error: wrong ? errorLine(toWire(invalid(wrong)), folder) : null,
    seen_commit: commit,
    blobs: isSeen ? before.blobs : null,
    shown: kindOf({ wrong, serves } as FoundProject),
  }
}
