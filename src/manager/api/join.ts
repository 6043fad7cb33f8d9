import { Type } from 'typebox'
import {
  JoinAnswer,
  JoinBody,
  type JoinTokenDocument,
  JoinTokenList,
  JoinTokenPath,
  MadeJoinToken,
  NewJoinToken,
} from '#contract/rest/join.ts'
import { joinHost } from '#manager/hosts/join.ts'
import {
  createJoinToken,
  type JoinTokenRow,
  listJoinTokens,
  revokeJoinToken,
  tokenState,
} from '#manager/hosts/join-tokens.ts'
import { addressOf, speakerOf } from './authenticate.ts'
import { timeText } from './documents.ts'
import { TOO_MANY_FAILURES } from './errors.ts'
import type { ApiParts } from './parts.ts'
import { createRateLimit } from './rate-limit.ts'
import type { Api } from './shape.ts'

const tags = ['hosts']
const JOINS_PER_MINUTE = 5

/** Tokens with which new hosts enrol themselves. */
export function joinTokenRoutes(api: Api, parts: ApiParts): void {
  function shown(row: JoinTokenRow): JoinTokenDocument {
    return {
      id: row.id,
      role: row.role,
      name: row.name,
      from: JSON.parse(row.networks) as string[],
      created_by: row.created_by,
      created_at: timeText(row.created_at),
      expires_at: timeText(row.expires_at),
      used_by: row.used_by,
      state: tokenState(row, parts.clock.now()),
    }
  }

  api.post(
    '/join-tokens',
    {
      schema: {
        summary: 'Make a token with which one host enrols itself',
        tags,
        body: NewJoinToken,
        response: { 201: MadeJoinToken },
      },
    },
    async (request, reply) => {
      const { row, text } = await createJoinToken(parts, {
        ...request.body,
        by: speakerOf(request).name,
        managerKeyId: parts.identity().keyId,
      })
      const made = { ...shown(row), token: text, manager_url: parts.config.publicUrl }
      return reply.code(201).header('cache-control', 'no-store').send(made)
    },
  )

  api.get(
    '/join-tokens',
    {
      schema: { summary: 'List join tokens, without their secrets', tags, response: { 200: JoinTokenList } },
    },
    async () => ({ items: (await listJoinTokens(parts.db)).map(shown) }),
  )

  api.delete(
    '/join-tokens/:id',
    {
      schema: {
        summary: 'Make an open join token useless',
        tags,
        params: JoinTokenPath,
        response: { 204: Type.Null() },
      },
    },
    async ({ params }, reply) => {
      await revokeJoinToken(parts, params.id)
      return reply.code(204).send(null)
    },
  )
}

/** Where a host speaks that is not enrolled yet: without a token of the API, with the proof that it has a join token. */
export function joinRoutes(api: Api, parts: ApiParts): void {
  const limit = createRateLimit(parts.clock, { most: JOINS_PER_MINUTE, refusal: TOO_MANY_FAILURES })

  api.post(
    '/api/v1/join',
    {
      bodyLimit: 32 * 1024,
      schema: {
        summary: 'Enrol a host with a join token',
        description:
          'Both sides prove with the secret of the token what they say; the secret itself is not sent. docs/hosts.md tells how.',
        tags,
        security: [],
        body: JoinBody,
        response: { 200: JoinAnswer },
      },
    },
    async request => {
      const address = addressOf(request, parts)
      limit.note(address)
      return await joinHost(parts, { body: request.body, address })
    },
  )
}
