import { TokenExchangeBody, TokenExchangeDocument } from '#contract/rest/token-exchange.ts'
import { asFairleadError } from '#lib/errors.ts'
import { exchangeToken } from '#manager/ci/exchange-token.ts'
import { createIssuerKeys } from '#manager/ci/issuer-keys.ts'
import { addressOf } from './authenticate.ts'
import type { FailureLimit } from './failure-limit.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

/** Without a token of the manager: the ID token of the job is what speaks for it. */
export function tokenExchangeRoutes(api: Api, parts: ApiParts, limit: FailureLimit): void {
  const context = { ...parts, keys: createIssuerKeys(parts) }

  api.post(
    '/api/v1/token-exchange',
    {
      bodyLimit: 32 * 1024,
      schema: {
        summary: 'Exchange the ID token of a CI job for a token that may deploy',
        description:
          'As RFC 8693, with JSON. The answer is valid for an hour and may deploy the apps that it lists and read their deployments. Which jobs are trusted: /api/v1/ci-trusts.',
        tags: ['ci-trusts'],
        security: [],
        body: TokenExchangeBody,
        response: { 200: TokenExchangeDocument },
      },
    },
    async (request, reply) => {
      try {
        const { token, expiresInSeconds, apps } = await exchangeToken(context, request.body.subject_token)
        return reply.header('cache-control', 'no-store').send({
          access_token: token,
          issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          token_type: 'Bearer',
          expires_in: expiresInSeconds,
          apps: [...apps],
        })
      } catch (error) {
        if (asFairleadError(error).status < 500) {
          limit.note(addressOf(request, parts))
        }
        throw error
      }
    },
  )
}
