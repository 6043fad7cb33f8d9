import { gunzipSync } from 'node:zlib'
import type { Kysely } from 'kysely'
import { notebookPreview } from '#commands/notebook-preview.ts'
import { repositoryTrees } from '#commands/repository.ts'
import type { Clock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import type { Agents } from '#manager/agents/agents.ts'
import type { Tables } from '#manager/store/tables.ts'
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
  const { db, clock } = parts
  const blob = (await blobsOf(parts, notebook))[path]
  if (!blob) {
    throw NOTEBOOK_NOT_FOUND(`${path.slice(0, 200)} in "${notebook.app}"`)
  }
  const kept = await db
    .selectFrom('notebook_previews')
    .select('content')
    .where('blob', '=', blob)
    .where('rendering', '=', RENDERING)
    .executeTakeFirst()
  if (kept) {
    return opened(kept.content)
  }
  const content = await made(parts, await hostOf(parts, notebook), {
    repository: notebook.repository_id,
    blob,
  })
  const row = { blob, rendering: RENDERING, content, made_at: clock.now() }
  await db
    .insertInto('notebook_previews')
    .values(row)
    .onConflict(conflict => conflict.column('blob').doUpdateSet(row))
    .execute()
  return opened(content)
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
