import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Name, strict } from '#contract/rest/fields.ts'
import { asFairleadError } from '#lib/errors.ts'
import { PLAIN_PAGE_HEADERS } from '#lib/plain-page.ts'
import type { Checks, OpenId } from '#manager/people/openid.ts'
import { personOfClaims } from '#manager/people/provider-accounts.ts'
import { SIGN_IN_LOST } from '#manager/people/provider-errors.ts'
import { readProvider } from '#manager/people/providers.ts'
import { addressOf } from './authenticate.ts'
import { createSignInLimit } from './failure-limit.ts'
import { sessionOpener } from './open-session.ts'
import type { ApiParts } from './parts.ts'
import { type Api, headerOf } from './shape.ts'
import { showPage } from './token-page.ts'

const NAME = '__Host-fairlead-sign-in'
/** The person comes from the site of the provider. */
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Lax'
const VALID_MS = 10 * 60_000
/** Bound into the sealed value: no other one opens here. */
const PLACE = 'sign-in-elsewhere'

const ProviderPath = Type.Object({ provider: Name }, strict)
const StartQuery = Type.Object({ to: Type.Optional(Type.String({ maxLength: 1_000 })) })
const Html = Type.String({ description: 'text/html' })

/** What the browser keeps while its person is at the provider. */
interface Kept extends Checks {
  readonly provider: string
  readonly to: string
  readonly until: number
}

/** Pages, not requests of programs: people are sent to a provider and come back, and what goes wrong is told as a page. */
export function signInElsewhereRoutes(api: Api, parts: ApiParts): void {
  const { clock, sealer, config } = parts
  let loaded: Promise<OpenId> | undefined

  /** Loaded when somebody signs in by it: who has no provider pays nothing. */
  function openId(): Promise<OpenId> {
    loaded ??= import('#manager/people/openid.ts').then(({ createOpenId }) => createOpenId(parts))
    return loaded
  }

  const limit = createSignInLimit(clock)
  const open = sessionOpener(parts)

  api.get(
    '/sign-in/:provider',
    {
      schema: {
        summary: 'Send a person to a provider to sign in there',
        tags: ['people'],
        security: [],
        params: ProviderPath,
        querystring: StartQuery,
        response: { 303: Type.Null(), '4xx': Html, '5xx': Html },
      },
    },
    async (request, reply) =>
      await orPage(reply, async () => {
        const provider = await readProvider(parts, request.params.provider)
        const { begin } = await openId()
        const begun = await limit.guard({ address: addressOf(request, parts) }, () =>
          begin(provider, callbackOf(config.publicUrl, provider.name)),
        )
        const kept: Kept = {
          ...{ ...begun.checks, provider: provider.id, to: placeIn(request.query.to) },
          until: clock.now() + VALID_MS,
        }
        const sealed = sealer.seal(JSON.stringify(kept), PLACE)
        const cookie = `${NAME}=${sealed}; Max-Age=${VALID_MS / 1000}; ${ATTRIBUTES}`
        return leadTo(reply.header('set-cookie', cookie), begun.url)
      }),
  )

  api.get(
    '/sign-in/:provider/callback',
    {
      schema: {
        summary: 'Where a provider sends people back to',
        tags: ['people'],
        security: [],
        params: ProviderPath,
        response: { 303: Type.Null(), '4xx': Html, '5xx': Html },
      },
    },
    async (request, reply) =>
      await orPage(reply, async () => {
        const provider = await readProvider(parts, request.params.provider)
        const kept = keptBy(request)
        if (kept?.provider !== provider.id || clock.now() >= kept.until) {
          throw SIGN_IN_LOST()
        }
        const { finish } = await openId()
        const url = new URL(callbackOf(config.publicUrl, provider.name))
        url.search = new URL(request.url, config.publicUrl).search
        const person = await limit.guard({ address: addressOf(request, parts) }, async () =>
          personOfClaims(parts, provider, await finish(provider, { url, checks: kept })),
        )
        const awaitsFactor = person.totp_at !== null
        await open(request, reply, { person, awaitsFactor })
        // Once: the same answer of the provider opens nothing again.
        const cookies = [
          reply.getHeader('set-cookie') as string[],
          `${NAME}=; Max-Age=0; ${ATTRIBUTES}`,
        ].flat()
        reply.removeHeader('set-cookie').header('set-cookie', cookies)
        const factor = `/login?${new URLSearchParams({ step: 'second-factor', to: kept.to })}`
        return leadTo(reply, awaitsFactor ? factor : kept.to)
      }),
  )

  /** The answer, or why there is none, as a page with the way back. */
  async function orPage(reply: FastifyReply, work: () => Promise<FastifyReply>): Promise<FastifyReply> {
    try {
      return await work()
    } catch (thrown) {
      const { status, message, hint, code } = asFairleadError(thrown)
      parts.logger.warn('people.sign-in-elsewhere', { code, message })
      const link = { href: '/login', text: 'Back to the sign-in page' }
      const title = status < 500 ? 'You are not signed in' : 'This does not work now'
      return showPage(reply, status, { title, text: `${message} ${hint}`, link })
    }
  }

  function keptBy(request: FastifyRequest): Kept | undefined {
    const start = `${NAME}=`
    const cookie = (headerOf(request, 'cookie') ?? '').split(/[;,] */).find(each => each.startsWith(start))
    try {
      return cookie === undefined ? undefined : JSON.parse(sealer.open(cookie.slice(start.length), PLACE))
    } catch {
      // Made by somebody else, or with another key.
      return undefined
    }
  }
}

export function callbackOf(publicUrl: string, provider: string): string {
  return `${publicUrl}/sign-in/${provider}/callback`
}

/** A path of this site, and no other site. */
function placeIn(to = '/'): string {
  return /^\/(?![/\\])[!-~]*$/.test(to) ? to : '/'
}

function leadTo(reply: FastifyReply, location: string): FastifyReply {
  return reply
    .code(303)
    .headers({ ...PLAIN_PAGE_HEADERS, location })
    .send(null as never)
}
