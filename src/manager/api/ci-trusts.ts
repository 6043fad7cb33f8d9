import { Type } from 'typebox'
import { CiTrustDocument, CiTrustList, NewCiTrust } from '#contract/rest/ci-trusts.ts'
import { Name, strict } from '#contract/rest/fields.ts'
import { addTrust, type CiTrust, listTrusts, removeTrust } from '#manager/ci/trusts.ts'
import { timeText } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const TrustPath = Type.Object({ trust: Name }, strict)
const tags = ['ci-trusts']

/** Which jobs of CI systems may deploy which apps, without a stored secret. */
export function ciTrustRoutes(api: Api, { db, clock, config }: ApiParts): void {
  api.get(
    '/ci-trusts',
    { schema: { summary: 'List what CI jobs may deploy', tags, response: { 200: CiTrustList } } },
    async () => ({ items: (await listTrusts(db)).map(shown) }),
  )

  api.post(
    '/ci-trusts',
    {
      schema: {
        summary: 'Let jobs of a CI system deploy apps',
        description:
          'A job whose ID token (OpenID Connect) fits all claims gets a token with POST /api/v1/token-exchange that may deploy these apps and read their deployments, nothing else.',
        tags,
        body: NewCiTrust,
        response: { 201: CiTrustDocument },
      },
    },
    async ({ body }, reply) =>
      reply.code(201).send(shown(await addTrust({ db, clock, publicUrl: config.publicUrl }, body))),
  )

  api.delete(
    '/ci-trusts/:trust',
    {
      schema: {
        summary: 'Trust these jobs no more',
        description: 'Tokens that were given for it allow nothing from now on.',
        tags,
        params: TrustPath,
        response: { 204: Type.Null() },
      },
    },
    async ({ params }, reply) => {
      await removeTrust(db, params.trust)
      return reply.code(204).send(null)
    },
  )
}

function shown(trust: CiTrust): CiTrustDocument {
  return {
    id: trust.id,
    name: trust.name,
    issuer: trust.issuer,
    audience: trust.audience,
    keys: trust.keys ? 'given' : 'asked',
    claims: { ...trust.claims },
    apps: [...trust.apps],
    created_at: timeText(trust.createdAt),
    last_used_at: trust.lastUsedAt === undefined ? null : timeText(trust.lastUsedAt),
  }
}
