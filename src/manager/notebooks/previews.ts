import { gunzipSync } from 'node:zlib'
import type { Kysely } from 'kysely'
import { notebookPicture } from '#commands/notebook-picture.ts'
import { notebookPreview } from '#commands/notebook-preview.ts'
import { repositoryTrees } from '#commands/repository.ts'
import type { Clock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import type { Agents } from '#manager/agents/agents.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { Picture } from '#previews/picture.ts'
import type { Rendered } from '#previews/render-notebook.ts'
import { NOTEBOOK_NOT_FOUND } from './errors.ts'
import type { NotebookRecord } from './list-notebooks.ts'

export interface PreviewParts {
  readonly db: Kysely<Tables>
  readonly agents: Pick<Agents, 'tell'>
  readonly clock: Pick<Clock, 'now'>
}

/** What was rendered, or why nothing could be. */
export interface Preview extends Rendered {
  readonly problem?: string
}

/** With a rendering that comes out otherwise this goes up, and old pages are made anew. */
const RENDERING = 1
const WAIT_MS = 5000
/** So many pages are kept, the last that were made. */
const MOST_KEPT = 2000

/** The page of one notebook of a project: as it was made before, or made on the worker now. */
export async function readPreview(
  parts: PreviewParts,
  notebook: NotebookRecord,
  path: string,
): Promise<Preview> {
  const blob = (await blobsOf(parts, notebook))[path]
  if (!blob) {
    throw NOTEBOOK_NOT_FOUND(`${path.slice(0, 200)} in "${notebook.app}"`)
  }
  return await remembered(parts, blob, async () => {
    const host = await hostOf(parts, notebook)
    return await made(parts, host, { repository: notebook.repository_id, blob })
  }).then(opened)
}

/** The picture that it has among its files, else the first that its entry notebook made. */
export async function readThumbnail(
  parts: PreviewParts,
  notebook: NotebookRecord,
): Promise<Picture | undefined> {
  const { app, repository_id: repository, seen_commit: commit, folder, entry } = notebook
  const text = await remembered(parts, `picture ${app} ${commit}`, async () => {
    const { name: command, deadlineMs } = notebookPicture
    const { picture } = (await parts.agents.tell(await hostOf(parts, notebook), {
      ...{ id: newId(), command, deadlineMs, waitMs: WAIT_MS },
      params: { repository, commit, folder, ...(entry === null ? {} : { entry }) },
    })) as { readonly picture: Picture | null }
    const first =
      picture ?? (entry === null ? undefined : (await readPreview(parts, notebook, entry)).picture)
    return JSON.stringify(first ?? null)
  })
  return (JSON.parse(text) as Picture | null) ?? undefined
}

/** What was made before, or is made now and kept. */
async function remembered(
  { db, clock }: PreviewParts,
  key: string,
  make: () => Promise<string>,
): Promise<string> {
  const kept = await db
    .selectFrom('notebook_previews')
    .select('content')
    .where('blob', '=', key)
    .where('rendering', '=', RENDERING)
    .executeTakeFirst()
  if (kept) {
    return kept.content
  }
  const content = await make()
  const row = { blob: key, rendering: RENDERING, content, made_at: clock.now() }
  await db
    .insertInto('notebook_previews')
    .values(row)
    .onConflict(conflict => conflict.column('blob').doUpdateSet(row))
    .execute()
  return content
}

function opened(content: string): Preview {
  return JSON.parse(gunzipSync(Buffer.from(content, 'base64')).toString()) as Preview
}

/** Git ids of its notebooks in the newest commit that was seen; asked once for a commit. */
async function blobsOf(
  parts: PreviewParts,
  notebook: NotebookRecord,
): Promise<Record<string, string | null>> {
  const { app, folder, seen_commit: commit, repository_id: repository } = notebook
  if (notebook.blobs !== null) {
    return JSON.parse(notebook.blobs) as Record<string, string | null>
  }
  const paths = (JSON.parse(notebook.notebooks) as string[]).slice(0, 1000)
  const above = folder === '.' ? '' : `${folder}/`
  const { name: command, deadlineMs } = repositoryTrees
  const { ids } = (await parts.agents.tell(await hostOf(parts, notebook), {
    ...{ id: newId(), command, deadlineMs, waitMs: WAIT_MS },
    params: { repository, commit, paths: paths.map(path => `${above}${path}`) },
  })) as { ids: Record<string, string | null> }
  const blobs = Object.fromEntries(paths.map(path => [path, ids[`${above}${path}`] ?? null]))
  await parts.db
    .updateTable('notebooks')
    .set({ blobs: JSON.stringify(blobs) })
    .where('app', '=', app)
    .where('seen_commit', '=', commit)
    .execute()
  return blobs
}

async function hostOf({ db }: PreviewParts, { repository_id: id }: NotebookRecord): Promise<string> {
  return (await db.selectFrom('repositories').select('host').where('id', '=', id).executeTakeFirstOrThrow())
    .host
}

async function made(
  { agents }: PreviewParts,
  host: string,
  data: { readonly repository: string; readonly blob: string },
): Promise<string> {
  const { name: command, deadlineMs } = notebookPreview
  let content = ''
  for (let rest: string | null = ''; rest !== null; ) {
    const params = rest === '' ? data : { ...data, rest, from: content.length }
    const answer = (await agents.tell(host, {
      ...{ id: newId(), command, deadlineMs, waitMs: WAIT_MS, params },
    })) as { readonly part: string; readonly rest: string | null }
    content += answer.part
    rest = answer.rest
  }
  return content
}

/** Forgets the pages that were made longest ago. */
export async function forgetOldPreviews(db: Kysely<Tables>): Promise<void> {
  const oldest = await db
    .selectFrom('notebook_previews')
    .select('made_at')
    .orderBy('made_at', 'desc')
    .offset(MOST_KEPT)
    .limit(1)
    .executeTakeFirst()
  if (oldest) {
    await db.deleteFrom('notebook_previews').where('made_at', '<=', oldest.made_at).execute()
  }
}
