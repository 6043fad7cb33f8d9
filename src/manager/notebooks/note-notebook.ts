import type { Selectable } from 'kysely'
import { toWire } from '#lib/errors.ts'
import { addressOfPlace } from '#lib/place.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { isWithoutLook } from '#manager/deployments/without-effect.ts'
import { linksPlace, type PuttingContext, putIn, replaceEarlier } from '#manager/outbox/put.ts'
import type { EndedPipeline } from '#manager/pipeline/step.ts'
import type { NotebookTable } from '#manager/store/notebook-tables.ts'
import { lineageOf } from '#manager/triggers/lineage.ts'
import { errorLine } from './error-line.ts'
import type { SeenNotebook } from './seen-notebook.ts'

type Row = Selectable<NotebookTable>

/** Projects of one push end one after another; all that end in this time are one commit. */
export const GATHERED_MS = 5000

/**
 * Writes down what became of a notebook project, inside the transaction that ends its deployment, and puts in line that
 * its repository is told when that is something else than it says.
 */
export async function noteNotebook(
  context: PuttingContext,
  deployment: Deployment,
  end: EndedPipeline,
): Promise<void> {
  const { db, clock } = context
  const before = await db
    .selectFrom('notebooks')
    .selectAll()
    .where('app', '=', deployment.app)
    .executeTakeFirst()
  const after = await rowAfter(context, deployment, end, before)
  if (!after) {
    await forgetUnserved(context, { before, end })
    return
  }
  const row = { ...after, updated_at: clock.now() }
  await db
    .insertInto('notebooks')
    .values(row)
    .onConflict(conflict => conflict.column('app').doUpdateSet(row))
    .execute()
  if (before && toldOf(before) === toldOf(after)) {
    return
  }
  const about = { place: linksPlace(after.repository_id), subject: '' }
  await replaceEarlier(context, about)
  await putIn(context, [{ ...about, payload: {}, delayMs: GATHERED_MS }])
}

/** Of a project that was cancelled before it was ever served, nothing stays that could say it is on its way. */
async function forgetUnserved(
  { db }: PuttingContext,
  { before, end }: { readonly before: Row | undefined; readonly end: EndedPipeline },
): Promise<void> {
  if (before?.status === 'building' && before.seen_commit === end.notebook?.commit) {
    await db.deleteFrom('notebooks').where('app', '=', before.app).where('status', '=', 'building').execute()
  }
}

/** What URL.md says of it. */
export function toldOf({
  title,
  status,
  url,
  commit,
  tree,
  mode,
  image,
  error,
  folder,
}: Omit<Row, 'updated_at' | 'shown'>): string {
  return JSON.stringify([title, status, url, commit, tree, mode, image, error, folder])
}

async function rowAfter(
  context: PuttingContext,
  deployment: Deployment,
  end: EndedPipeline,
  before: Row | undefined,
): Promise<Omit<Row, 'updated_at'> | undefined> {
  if (deployment.kind === 'remove') {
    return before && end.state === 'succeeded' ? rowWithoutServer(before) : undefined
  }
  if (deployment.kind === 'stop') {
    return before && end.state === 'succeeded' ? { ...before, status: 'stopped', url: null } : undefined
  }
  const { notebook: seen } = end
  if (!seen && end.state === 'failed') {
    // Its files could not be read any more; what is served is what was served.
    return before && { ...before, status: 'failed', error: lineOf(end, before) }
  }
  const repository = seen && (await repositoryOf(context, deployment.appId))
  if (!seen || !repository || end.state === 'cancelled' || isWithoutLook(end.outcome)) {
    return undefined
  }
  const base = { ...described(deployment.app, seen, before), repository_id: repository }
  if (end.state === 'failed') {
    return { ...base, status: 'failed', error: lineOf(end, base) }
  }
  const origin =
    seen.commit === undefined ? null : (await lineageOf(context.db, repository, seen.commit)).origin
  const tree = seen.examined?.content?.key ?? seen.released?.content ?? null
  // A commit that changed nothing of the project is not the one that is served.
  const isSame = before?.commit != null && tree !== null && before.tree === tree
  return {
    ...base,
    ...releasedAgain(base, seen),
    status: 'live',
    error: null,
    url: addressOf(seen, end),
    commit: isSame ? before.commit : origin,
    tree,
    image: isSame ? (seen.image ?? before.image) : (seen.image ?? null),
  }
}

/** What goes with its server is gone, but for what is still to be looked at. */
function rowWithoutServer(before: Row): Row {
  return before.shown === null || before.shown === 'broken'
    ? { ...before, status: 'removed', url: null }
    : { ...before, status: 'preview', url: null, mode: 'static', image: null, error: null }
}

function addressOf({ domains: [place] }: SeenNotebook, { visitors }: EndedPipeline): string | null {
  return place === undefined ? null : addressOfPlace(place, visitors)
}

function lineOf({ error }: EndedPipeline, { folder }: Pick<Row, 'folder'>): string {
  return error ? errorLine(toWire(error), folder) : 'it failed'
}

async function repositoryOf({ db }: PuttingContext, appId: string): Promise<string | undefined> {
  const app = await db.selectFrom('apps').select('repository_id').where('id', '=', appId).executeTakeFirst()
  return app?.repository_id ?? undefined
}

/** What the worker said of the project now, else what it said the last time. */
function described(
  app: string,
  seen: SeenNotebook,
  before: Row | undefined,
): Omit<Row, 'updated_at' | 'repository_id'> {
  const { examined, folder, mode, commit } = seen
  const known = before ?? {
    app,
    ...{ title: app, entry: null, notebooks: '[]', language: 'python', tags: '[]' },
    ...{ url: null, commit: null, tree: null, image: null, seen_commit: commit ?? '', blobs: null },
    shown: null,
  }
  const now = examined && {
    title: examined.title,
    entry: examined.entry,
    notebooks: JSON.stringify(examined.notebooks),
    language: examined.language,
    tags: JSON.stringify(examined.settings?.tags ?? []),
    ...(commit === undefined || commit === known.seen_commit ? {} : { seen_commit: commit, blobs: null }),
  }
  return { ...known, ...now, folder, mode, status: 'live', error: null, shown: null }
}

/** Its notebooks are shown as the newest commit has them, whatever is served. */
function releasedAgain({ notebooks, entry }: Pick<Row, 'notebooks' | 'entry'>, { released }: SeenNotebook) {
  if (!released) {
    return {}
  }
  const isThere = (JSON.parse(notebooks) as string[]).includes(released.entry ?? '')
  return {
    title: released.title,
    language: released.language,
    entry: isThere ? released.entry : entry,
  }
}
