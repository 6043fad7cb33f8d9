import { type Static, Type } from 'typebox'
import { PLACE_PATTERN } from '#contract/rest/visits.ts'
import { asFairleadError } from '#lib/errors.ts'
import { PLAIN_PAGE_HEADERS } from '#lib/plain-page.ts'
import { openVisit } from '#manager/apps/open-visit.ts'
import { maySee } from '#manager/people/access.ts'
import type { FailureLimit } from './failure-limit.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'
import {
  acceptForms,
  askForToken,
  ownPage,
  personOf,
  showPage,
  TokenForm,
  UNKNOWN_TOKEN,
} from './token-page.ts'

const OpenPath = Type.Object({ app: Type.String({ maxLength: 100 }) })
/** What the page of the gate adds: where the person wanted to go. */
const OpenQuery = Type.Object({ to: Type.Optional(Type.String({ maxLength: 1_001 })) })
const Html = Type.String({ description: 'text/html' })

/** Where a guarded app sends a person who has no link: whoever has a token is let in. */
export function openPageRoutes(api: Api, parts: ApiParts, limit: FailureLimit): void {
  acceptForms(api)
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
    async (request, reply) => showPage(reply, 200, askForToken(request.params.app)),
  )

  api.post(
    '/open/:app',
    {
      onRequest: ownPage(parts),
      schema: {
        ...schema,
        summary: 'Answer that page: it leads to the app',
        body: TokenForm,
        querystring: OpenQuery,
        response: { 303: Type.Null(), '4xx': Html, '5xx': Html },
      },
    },
    async (request, reply) => {
      const { app } = request.params
      const speaker = await personOf(request, parts, limit)
      // Whoever may not see the app learns nothing of it, not even whether the token is good.
      if (!speaker || !(await maySee(parts.db, speaker, 'app', app))) {
        return showPage(reply, 401, askForToken(app, UNKNOWN_TOKEN))
      }
      try {
        const { url } = await openVisit(parts, { app, visitor: speaker.tokenId, to: placeIn(request.query) })
        return reply
          .code(303)
          .headers({ ...PLAIN_PAGE_HEADERS, location: url })
          .send(null)
      } catch (thrown) {
        const { status, message, hint } = asFairleadError(thrown)
        return showPage(reply, status, { title: message, text: hint })
      }
    },
  )
}

/** A path of the app, and no other host. */
function placeIn({ to = '/' }: Static<typeof OpenQuery>): string {
  return new RegExp(PLACE_PATTERN).test(to) ? to : '/'
}
