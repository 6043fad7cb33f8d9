import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

const GRACE = { email: 'grace@example.org', email_verified: true, name: 'Grace', groups: ['operators'] }

/** A real one, which asks a person by a page with one button who they are. */
export async function startProvider(callback: string): Promise<{ readonly issuer: string; close(): void }> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'fairlead', redirect_uris: [callback], token_endpoint_auth_method: 'none' }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['of a test'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...GRACE }) }),
    async loadExistingGrant({ oidc }) {
      const { client, session } = oidc
      const grant = new oidc.provider.Grant({
        clientId: client?.clientId ?? '',
        accountId: session?.accountId ?? '',
      })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    },
  })
  server.on('request', async (request, response) => {
    if (!request.url?.startsWith('/interaction/')) {
      provider.callback()(request, response)
    } else if (request.method === 'POST') {
      await provider.interactionFinished(request, response, { login: { accountId: 'grace' } })
    } else {
      response.setHeader('content-type', 'text/html')
      response.end('<title>corp</title><form method="post"><button>I am Grace</button></form>')
    }
  })
  return {
    issuer,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
