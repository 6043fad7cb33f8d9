import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Name } from '#contract/rest/fields.ts'
import { PLAIN_PAGE_HEADERS } from '#lib/plain-page.ts'
import { NOTEBOOK_NOT_FOUND } from '#manager/notebooks/errors.ts'
import { readNotebook } from '#manager/notebooks/list-notebooks.ts'
import { movedTo } from '#manager/notebooks/moves.ts'
import { readPreview } from '#manager/notebooks/previews.ts'
import { PREVIEW_POLICY, pathAddress, previewPage } from '#previews/page.ts'
import { authenticator } from './authenticate.ts'
import { authoriser } from './authorise.ts'
import type { FailureLimit } from './failure-limit.ts'
import { notebookLog } from './notebook-log.ts'
import type { ApiParts } from './parts.ts'
import { visitCookie, visitorOf } from './preview-visits.ts'
import { sessionValueOf } from './session-cookie.ts'
import { type Api, headerOf } from './shape.ts'
import {
  acceptForms,
  askForToken,
  ownPage,
  personOf,
  showPage,
  TokenForm,
  UNKNOWN_TOKEN,
} from './token-page.ts'

const Html = Type.String({ description: 'text/html' })
const PreviewPath = Type.Object({ notebook: Name, '*': Type.String({ maxLength: 1000 }) })

/**
 * Static pages of notebooks. Who may read the API may read them: a notebook is as private as its repository. A browser is
 * asked for a token, and remembered.
 */
export function previewRoutes(api: Api, parts: ApiParts, limit: FailureLimit): void {
  const authenticate = authenticator(parts, limit)
  const authorise = authoriser(parts)
  /** A browser that has shown a token before, or anybody with one. */
  const forVisitors = {
    async onRequest(request: FastifyRequest, reply: FastifyReply) {
      const { notebook } = request.params as { notebook: string }
      const name = await movedTo(parts.db, notebook, parts.clock.now())
      if (name !== undefined) {
        return reply
          .code(308)
          .headers({ location: pathAtName(request.url, name), 'cache-control': 'no-store' })
          .send(null)
      }
      const isBrowser = headerOf(request, 'accept')?.includes('text/html') === true
      const hasNothing =
        headerOf(request, 'authorization') === undefined && sessionValueOf(request) === undefined
      // Who says who they are is asked as that, whatever was shown in this browser before.
      request.speaker = hasNothing ? ((await visitorOf(parts, request)) ?? null) : null
      if (!request.speaker && isBrowser && hasNothing) {
        return showPage(reply, 401, askForToken(notebook))
      }
      if (!request.speaker) {
        await authenticate(request)
      }
    },
    preHandler: authorise,
  }
  acceptForms(api)

  api.post(
    '/preview/:notebook/*',
    {
      onRequest: ownPage(parts),
      schema: {
        summary: 'Answer the page that asks for a token: it leads back to where it was asked',
        tags: ['notebooks'],
        security: [],
        params: PreviewPath,
        body: TokenForm,
        response: { 303: Type.Null(), '4xx': Html },
      },
    },
    async (request, reply) => {
      const { notebook, '*': path } = request.params
      const speaker = await personOf(request, parts, limit)
      if (!speaker) {
        return showPage(reply, 401, askForToken(notebook, UNKNOWN_TOKEN))
      }
      const here = path.slice(path.lastIndexOf('/') + 1)
      return reply
        .code(303)
        .headers({
          ...PLAIN_PAGE_HEADERS,
          location: `./${pathAddress(here)}`,
          'set-cookie': visitCookie(parts, speaker),
        })
        .send(null)
    },
  )

  // Every other path below is one of a notebook, which ends in .ipynb.
  api.get(
    '/preview/:notebook/log',
    {
      schema: {
        summary: 'What the last deployment of a notebook project that failed printed, as text',
        description: 'Where none failed, what the last one printed. Its URL.md leads here.',
        tags: ['notebooks'],
        params: Type.Object({ notebook: Name }),
        produces: ['text/plain'],
        response: { 401: Html },
      },
      ...forVisitors,
    },
    async ({ params }, reply) => {
      const text = await notebookLog(parts, await readNotebook(parts.db, params.notebook))
      return await reply
        .headers({
          'content-type': 'text/plain; charset=utf-8',
          'content-security-policy': "default-src 'none'; sandbox",
          'cache-control': 'private, no-cache',
          'referrer-policy': 'no-referrer',
        })
        .send(Readable.from(text) as never)
    },
  )

  api.get(
    '/preview/:notebook/*',
    {
      schema: {
        summary: 'The static page of a notebook',
        description:
          'Without a path that of the notebook which is opened first. A browser without a token gets a page that asks for one.',
        tags: ['notebooks'],
        params: PreviewPath,
        response: { 200: Html, 401: Html },
      },
      ...forVisitors,
    },
    async ({ params }, reply) => {
      const notebook = await readNotebook(parts.db, params.notebook)
      const path = params['*'] || notebook.entry
      if (path === null) {
        throw NOTEBOOK_NOT_FOUND(`in "${notebook.app}"`)
      }
      const { html, problem, title } = await readPreview(parts, notebook, path)
      const above = `./${'../'.repeat(params['*'].split('/').length - 1)}`
      const page = previewPage({
        title: title ?? notebook.title,
        body: problem === undefined ? html : '',
        ...(problem === undefined ? {} : { problem }),
        notebooks: (JSON.parse(notebook.notebooks) as string[]).map(each => ({
          path: each,
          href: `${above}${pathAddress(each)}`,
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

/** The same page of what a notebook is called now, from here: whatever stands before this manager may have a path. */
function pathAtName(url: string, name: string): string {
  const [, below = ''] = /^\/preview\/[^/]+\/(.*)$/.exec(url) ?? []
  const { length: depth } = below.replace(/\?.*$/, '').split('/')
  return `${'../'.repeat(depth)}${name}/${below}`
}
