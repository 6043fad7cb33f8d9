import { Type } from 'typebox'
import { Id, strict } from '#contract/rest/fields.ts'
import { MadeToken, NewToken, type TokenDocument, TokenList } from '#contract/rest/tokens.ts'
import { addToken, listTokens, removeToken, type TokenRecord } from '#manager/people/manage-tokens.ts'
import { speakerOf } from './authenticate.ts'
import { timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const TokenPath = Type.Object({ token: Id }, strict)
const tags = ['tokens']

/** Tokens of people and machines. */
export function tokenRoutes(api: Api, parts: ApiParts): void {
  api.get(
    '/tokens',
    { schema: { summary: 'List your tokens; an admin sees all', tags, response: { 200: TokenList } } },
    async request => ({ items: (await listTokens(parts, speakerOf(request))).map(tokenDocument) }),
  )

  api.post(
    '/tokens',
    {
      schema: {
        summary: 'Make a token, of yours or of a machine',
        tags,
        body: NewToken,
        response: { 201: MadeToken },
      },
    },
    async (request, reply) => {
      const speaker = speakerOf(request)
      const made = await addToken(parts, speaker, request.body)
      return reply.code(201).send({ token: made.token, details: tokenDocument(made.record) })
    },
  )

  api.delete(
    '/tokens/:token',
    {
      schema: { summary: 'Remove a token', tags, params: TokenPath, response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      await removeToken(parts, speakerOf(request), request.params.token)
      return reply.code(204).send(null)
    },
  )
}

function tokenDocument(token: TokenRecord): TokenDocument {
  const optional = (ms: number | null) => (ms === null ? null : timeText(ms))
  return {
    id: token.id,
    name: token.name,
    person: token.email,
    role: token.role,
    project: token.project,
    scopes: token.scopes,
    created_at: timeText(token.created_at),
    expires_at: optional(token.expires_at),
    last_used_at: optional(token.last_used_at),
  }
}
