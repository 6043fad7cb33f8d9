import { Type } from 'typebox'
import { Name } from '#contract/rest/fields.ts'
import { NOTEBOOK_NOT_FOUND } from '#manager/notebooks/errors.ts'
import { readNotebook } from '#manager/notebooks/list-notebooks.ts'
import { readPreview } from '#manager/notebooks/previews.ts'
import { PREVIEW_POLICY, previewPage } from '#previews/page.ts'
import { authenticator } from './authenticate.ts'
import { authoriser } from './authorise.ts'
import type { FailureLimit } from './failure-limit.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const PreviewPath = Type.Object({ notebook: Name, '*': Type.String({ maxLength: 1000 }) })

/** Static pages of notebooks. Who may read the API may read them: a notebook is as private as its repository. */
export function previewRoutes(api: Api, parts: ApiParts, limit: FailureLimit): void {
  api.addHook('onRequest', authenticator(parts, limit))
  api.addHook('preHandler', authoriser(parts))
  api.get(
    '/preview/:notebook/*',
    {
      schema: {
        summary: 'The static page of a notebook',
        description: 'Without a path that of the notebook which is opened first.',
        tags: ['notebooks'],
        params: PreviewPath,
        response: { 200: Type.String({ description: 'text/html' }) },
      },
    },
    async ({ params }, reply) => {
      const notebook = await readNotebook(parts.db, params.notebook)
      const path = params['*'] || notebook.entry
      if (path === null) {
        throw NOTEBOOK_NOT_FOUND(`in "${notebook.app}"`)
      }
      const { html, problem, title } = await readPreview(parts, notebook, path)
      const above = '../'.repeat(params['*'].split('/').length - 1)
      const page = previewPage({
        title: title ?? notebook.title,
        body: problem === undefined ? html : '',
        ...(problem === undefined ? {} : { problem }),
        notebooks: (JSON.parse(notebook.notebooks) as string[]).map(each => ({
          path: each,
          href: `${above}${encodeURI(each)}`,
          isThis: each === path,
        })),
        live: notebook.url ?? undefined,
      })
      return await reply
        .headers({
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': PREVIEW_POLICY,
          'cache-control': 'private, no-cache',
          'referrer-policy': 'no-referrer',
        })
        .serializer((text: unknown) => String(text))
        .send(page)
    },
  )
}
