import { Type } from 'typebox'
import { Name, strict } from '#contract/rest/fields.ts'
import {
  NotebookDocument,
  NotebookPackagesDocument,
  NotebookPage,
  NotebooksQuery,
} from '#contract/rest/notebooks.ts'
import type { LinksWritten } from '#manager/notebooks/links-place.ts'
import { listNotebooks, type NotebookRecord, readNotebook } from '#manager/notebooks/list-notebooks.ts'
import { readThumbnail } from '#manager/notebooks/previews.ts'
import { serverState } from '#manager/notebooks/server-state.ts'
import { cardSvg } from '#previews/card.ts'
import { pathAddress } from '#previews/page.ts'
import { timeText } from './documents.ts'
import { readPackages } from './notebook-packages.ts'
import { PAGE_SIZE, pageOf } from './page.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'
import { visibleNames } from './visible-names.ts'

const NotebookPath = Type.Object({ notebook: Name }, strict)
const tags = ['notebooks']

/** Notebook projects that were deployed: what a gallery of them is made of. */
export function notebookRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts

  api.get(
    '/notebooks',
    {
      schema: {
        summary: 'List notebook projects, by slug',
        tags,
        querystring: NotebooksQuery,
        response: { 200: NotebookPage },
      },
    },
    async request => {
      const { limit = PAGE_SIZE, cursor, ...filter } = request.query
      const only = await visibleNames(parts, request)
      const found = await listNotebooks(db, { ...filter, only, limit: limit + 1, after: cursor })
      const page = pageOf(found, limit, ({ app }) => app)
      return { ...page, items: page.items.map(row => notebookDocument(row, parts)) }
    },
  )

  api.get(
    '/notebooks/:notebook',
    {
      schema: {
        summary: 'Read a notebook project',
        tags,
        params: NotebookPath,
        response: { 200: NotebookDocument },
      },
    },
    async ({ params }) => notebookDocument(await readNotebook(db, params.notebook), parts),
  )

  api.get(
    '/notebooks/:notebook/packages',
    {
      schema: {
        summary: 'Which packages, in which versions, the environment of the newest release has',
        description:
          'Read once of each environment, from the first server that ran in it. Without one of its own it has those of its base image.',
        tags,
        params: NotebookPath,
        response: { 200: NotebookPackagesDocument },
      },
    },
    async ({ params }) => await readPackages(db, params.notebook),
  )

  api.get(
    '/notebooks/:notebook/thumbnail',
    {
      schema: {
        summary: 'A picture of a notebook project',
        description:
          'What nb.yaml names, thumbnails/<notebook>.png or thumbnail.png, the first picture that its first notebook made, or a card with its title.',
        tags,
        params: NotebookPath,
        response: { 200: Type.String({ description: 'A picture.' }) },
      },
    },
    async ({ params }, reply) => {
      const notebook = await readNotebook(db, params.notebook)
      const { type, bytes } = await thumbnailOf(parts, notebook)
      return await reply
        .headers({
          'content-type': type,
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
          'cache-control': 'private, no-cache',
        })
        .send(bytes as unknown as string)
    },
  )
}

async function thumbnailOf(
  parts: ApiParts,
  notebook: NotebookRecord,
): Promise<{ readonly type: string; readonly bytes: Buffer }> {
  const { app: slug, title, language } = notebook
  // Who cannot be asked now has a card meanwhile.
  const picture = await readThumbnail(parts, notebook).catch(() => undefined)
  return picture
    ? { type: picture.type, bytes: Buffer.from(picture.base64, 'base64') }
    : { type: 'image/svg+xml; charset=utf-8', bytes: Buffer.from(cardSvg({ slug, title, language })) }
}

function notebookDocument(row: NotebookRecord, { config }: ApiParts): NotebookDocument {
  const { app: slug, entry } = row
  const written = row.written === null ? undefined : (JSON.parse(row.written) as LinksWritten)
  const preview = `${config.publicUrl}/preview/${slug}/`
  return {
    slug,
    title: row.title,
    repository: row.repository,
    folder: row.folder,
    status: row.status,
    server: serverState(row),
    url: row.url,
    mode: row.mode,
    language: row.language,
    tags: JSON.parse(row.tags) as string[],
    entry,
    notebooks: (JSON.parse(row.notebooks) as string[]).map(path => ({
      path,
      preview: `${preview}${pathAddress(path)}`,
    })),
    commit: row.commit,
    error: row.error,
    preview: entry === null ? null : preview,
    thumbnail: `${config.publicUrl}/api/v1/notebooks/${slug}/thumbnail`,
    badge: `${config.publicUrl}/badge/${slug}.svg`,
    links: {
      outcome: written?.outcome ?? null,
      branch: written?.branch ?? null,
      warnings: [...(written?.warnings ?? [])],
      problem: row.problem === null ? null : JSON.parse(row.problem),
    },
    updated_at: timeText(row.updated_at),
  }
}
