import { Type } from 'typebox'
import { Name, strict } from '#contract/rest/fields.ts'
import { ProviderBody, ProviderDocument, ProviderList } from '#contract/rest/providers.ts'
import {
  listProviders,
  type Provider,
  removeProvider,
  storeProvider,
  wantedProvider,
} from '#manager/people/providers.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'
import { callbackOf } from './sign-in-elsewhere.ts'

const ProviderPath = Type.Object({ provider: Name }, strict)
const tags = ['people']

/** Where people may have the account that they sign in with. */
export function providerRoutes(api: Api, parts: ApiParts): void {
  api.get(
    '/providers',
    { schema: { summary: 'List where people sign in', tags, response: { 200: ProviderList } } },
    async () => ({ items: (await listProviders(parts)).map(documentOf) }),
  )

  api.put(
    '/providers/:provider',
    {
      schema: {
        summary: 'Let people sign in with the account that they have at an OpenID Connect provider',
        description:
          'The provider is asked for its metadata at once. A secret that is not given stays as it is.',
        tags,
        params: ProviderPath,
        body: ProviderBody,
        response: { 200: ProviderDocument },
      },
    },
    async ({ params, body }) => {
      const wanted = await wantedProvider(parts, params.provider, body)
      const { createOpenId } = await import('#manager/people/openid.ts')
      await createOpenId(parts).begin(wanted, callbackOf(parts.config.publicUrl, wanted.name))
      await storeProvider(parts, wanted)
      return documentOf(wanted)
    },
  )

  api.delete(
    '/providers/:provider',
    {
      schema: {
        summary: 'Let nobody sign in there any more',
        description: 'Accounts and open sessions stay.',
        tags,
        params: ProviderPath,
        response: { 204: Type.Null() },
      },
    },
    async ({ params }, reply) => {
      await removeProvider(parts, params.provider)
      return reply.code(204).send(null)
    },
  )

  function documentOf({ name, issuer, clientId, clientSecret, settings }: Provider): ProviderDocument {
    return {
      ...{ name, issuer, client_id: clientId, has_secret: clientSecret !== null },
      ...settings,
      callback: callbackOf(parts.config.publicUrl, name),
    }
  }
}
