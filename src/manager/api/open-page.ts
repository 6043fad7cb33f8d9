import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { asFairleadError } from '#lib/errors.ts'
import { PLAIN_PAGE_HEADERS, type PlainPage, plainPage } from '#lib/plain-page.ts'
import { openVisit } from '#manager/apps/open-visit.ts'
import { findSpeaker } from '#manager/people/tokens.ts'
import { addressOf } from './authenticate.ts'
import type { FailureLimit } from './failure-limit.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const OpenPath = Type.Object({ app: Type.String({ maxLength: 100 }) })
const OpenForm = Type.Object({ token: Type.String({ maxLength: 300 }) })
const Html = Type.String({ description: 'text/html' })

const ASKS = { field: 'token', label: 'Your Fairlead token', button: 'Open' } as const

/** Where a guarded app sends a person who has no link: whoever has a token is let in. */
export function openPageRoutes(api: Api, parts: ApiParts, limit: FailureLimit): void {
  api.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 4_096 },
    (_, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  )
  const schema = { tags: ['apps'], security: [], params: OpenPath }

  api.get(
    '/open/:app',
    {
      schema: {
        ...schema,
        summary: 'A page that lets a person with a token into a guarded app',
        response: { 200: Html },
      },
    },
    async (request, reply) => show(reply, 200, askFor(request.params.app)),
  )

  api.post(
    '/open/:app',
    {
      schema: {
        ...schema,
        summary: 'Answer that page: it leads to the app',
        body: OpenForm,
        response: { 303: Type.Null(), '4xx': Html, '5xx': Html },
      },
    },
    async (request, reply) => {
      const { app } = request.params
      const speaker = await findSpeaker(parts, request.body.token.trim())
      // The token of a CI job is for no person.
      if (!speaker || speaker.apps) {
        limit.note(addressOf(request, parts))
        return show(reply, 401, { ...askFor(app), text: 'This token is not known here, or has ended.' })
      }
      try {
        const { url } = await openVisit(parts, { app, visitor: speaker.name, to: '/' })
        return reply
          .code(303)
          .headers({ ...PLAIN_PAGE_HEADERS, location: url })
          .send(null)
      } catch (thrown) {
        const { status, message, hint } = asFairleadError(thrown)
        return show(reply, status, { title: message, text: hint })
      }
    },
  )
}

function askFor(app: string): PlainPage {
  return { title: `Open ${app}`, text: 'It is not open to everybody.', asks: ASKS }
}

function show(reply: FastifyReply, status: number, page: PlainPage) {
  return reply
    .code(status)
    .headers(PLAIN_PAGE_HEADERS)
    .serializer((text: unknown) => String(text))
    .send(plainPage(page))
}
