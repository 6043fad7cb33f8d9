import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { PLAIN_PAGE_HEADERS, type PlainPage, plainPage } from '#lib/plain-page.ts'
import { findSpeaker, type Speaker } from '#manager/people/tokens.ts'
import { addressOf } from './authenticate.ts'
import type { FailureLimit } from './failure-limit.ts'
import type { ApiParts } from './parts.ts'
import { refuseOtherOrigin } from './session-cookie.ts'
import { type Api, headerOf } from './shape.ts'

/** What a page sends that asks a person for a token. */
export const TokenForm = Type.Object({ token: Type.String({ maxLength: 300 }) })

const ASKS = { field: 'token', label: 'Your Fairlead token', button: 'Open' } as const

/** Forms are taken by the routes of such pages alone. */
export function acceptForms(api: Api): void {
  api.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 4_096 },
    (_, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  )
}

/** A form that was sent by a page of somebody else would have the visitor work in the other's name. */
export function ownPage({ config }: ApiParts) {
  return async (request: FastifyRequest): Promise<void> => {
    if (headerOf(request, 'origin') !== undefined) {
      refuseOtherOrigin(request, config)
    }
  }
}

export function askForToken(what: string, text = 'It is not open to everybody.'): PlainPage {
  return { title: `Open ${what}`, text, asks: ASKS }
}

/** The person whose token came by a form; undefined for nobody's, which counts as a failure. */
export async function personOf(
  request: FastifyRequest & { readonly body: { readonly token: string } },
  parts: ApiParts,
  limit: FailureLimit,
): Promise<Speaker | undefined> {
  const speaker = await findSpeaker(parts, request.body.token.trim())
  // The token of a CI job is for no person.
  if (!speaker || speaker.apps) {
    limit.note(addressOf(request, parts))
    return undefined
  }
  return speaker
}

export function showPage(reply: FastifyReply, status: number, page: PlainPage) {
  return (
    reply
      .code(status)
      // Otherwise the form of the page would not say where it comes from.
      .headers({ ...PLAIN_PAGE_HEADERS, 'referrer-policy': 'same-origin' })
      .serializer((text: unknown) => String(text))
      .send(plainPage(page))
  )
}

export const UNKNOWN_TOKEN = 'This token is not known here, or has ended.'
