import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  type CustomFetchOptions,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
} from 'openid-client'
import type { Clock } from '#lib/clock.ts'
import { FairleadError } from '#lib/errors.ts'
import type { HttpRequest } from '#lib/http-request.ts'
import { randomText } from '#lib/id.ts'
import type { HttpClient } from '#manager/http.ts'
import type { Claims } from './provider-accounts.ts'
import { PROVIDER_REFUSED, PROVIDER_UNREACHABLE } from './provider-errors.ts'
import type { Provider } from './providers.ts'

/** What has to come back with the person. */
export interface Checks {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

export interface Begun {
  readonly url: string
  readonly checks: Checks
}

export interface OpenId {
  /** Where the provider asks the person who they are. */
  begin(provider: Provider, callback: string): Promise<Begun>
  /** What the provider says of the person who came back to `url`, once all of it was checked. */
  finish(provider: Provider, back: { readonly url: URL; readonly checks: Checks }): Promise<Claims>
}

interface Known {
  readonly key: string
  readonly config: Promise<Configuration>
  readonly until: number
}

interface OpenIdParts {
  readonly http: HttpClient
  readonly clock: Clock
}

/** So long what a provider says of itself is taken as it was: whoever opens the page often must not ask it as often. */
const FRESH_MS = 10 * 60_000

export function createOpenId({ http, clock }: OpenIdParts): OpenId {
  const known = new Map<string, Known>()

  function configurationOf(provider: Provider): Promise<Configuration> {
    const key = keyOf(provider)
    const found = known.get(provider.name)
    if (found?.key === key && clock.monotonic() < found.until) {
      return found.config
    }
    const config = discovered(http, provider)
    known.set(provider.name, { key, config, until: clock.monotonic() + FRESH_MS })
    // What failed is asked again.
    config.catch(() => known.delete(provider.name))
    return config
  }

  return {
    async begin(provider, callback) {
      const config = await configurationOf(provider)
      const checks = { state: randomText(32), nonce: randomText(32), verifier: randomText(48) }
      const url = buildAuthorizationUrl(config, {
        redirect_uri: callback,
        scope: provider.settings.scopes,
        state: checks.state,
        nonce: checks.nonce,
        code_challenge: await calculatePKCECodeChallenge(checks.verifier),
        code_challenge_method: 'S256',
      })
      return { url: url.href, checks }
    },

    async finish(provider, { url, checks }) {
      const config = await configurationOf(provider)
      try {
        const answer = await authorizationCodeGrant(config, url, {
          expectedState: checks.state,
          expectedNonce: checks.nonce,
          pkceCodeVerifier: checks.verifier,
          idTokenExpected: true,
        })
        return answer.claims() as Claims
      } catch (error) {
        throw PROVIDER_REFUSED(provider.name, reasonOf(error)).with({ cause: error })
      }
    },
  }
}

/** Another issuer, client or secret is another provider. */
function keyOf({ issuer, clientId, clientSecret }: Provider): string {
  return JSON.stringify([issuer, clientId, clientSecret])
}

async function discovered(http: HttpClient, provider: Provider): Promise<Configuration> {
  const { issuer, clientId, clientSecret, name } = provider
  const url = new URL(issuer)
  const authentication = clientSecret === null ? None() : withSecret(clientSecret)
  try {
    return await discovery(url, clientId, undefined, authentication, {
      [customFetch]: (address, options) => asked(http, address, options),
      // The signature of what it says is checked, also where it came over an encrypted connection. Without one, our
      // client asks private addresses only.
      execute: [enableNonRepudiationChecks, ...(url.protocol === 'http:' ? [allowInsecureRequests] : [])],
    })
  } catch (error) {
    throw PROVIDER_UNREACHABLE(name, reasonOf(error)).with({ cause: error })
  }
}

/** As the provider takes it: in the header unless it says that it takes something else. */
function withSecret(secret: string): ClientAuth {
  return (server, client, body, headers) => {
    const { token_endpoint_auth_methods_supported: taken = ['client_secret_basic'] } = server
    const send = taken.includes('client_secret_basic') ? ClientSecretBasic(secret) : ClientSecretPost(secret)
    send(server, client, body, headers)
  }
}

async function asked(
  http: HttpClient,
  url: string,
  { method, headers, body, signal }: CustomFetchOptions,
): Promise<Response> {
  const answer = await http.send(
    {
      method: method as HttpRequest['method'],
      url,
      headers,
      ...(body === undefined || body === null ? {} : { body: String(body) }),
    },
    signal ? { signal } : {},
  )
  const empty = answer.status === 204 || answer.status === 304
  return new Response(empty ? null : answer.body, { status: answer.status, headers: answer.headers })
}

function reasonOf(error: unknown): string {
  if (error instanceof AuthorizationResponseError) {
    return [error.error, error.error_description].filter(Boolean).join(': ').slice(0, 300)
  }
  const { cause } = error as Error
  if (error instanceof FairleadError || !(cause instanceof Error)) {
    return (error as Error).message.slice(0, 300)
  }
  return cause instanceof FairleadError
    ? cause.message
    : `${(error as Error).message}: ${cause.message}`.slice(0, 300)
}
