import {
  AcceptBody,
  FactorBody,
  FirstStartBody,
  SignedIn,
  SignInBody,
  SignInOptions,
} from '#contract/rest/people.ts'
import { isFirstStart, makeFirstAdmin } from '#manager/people/first-start.ts'
import { acceptInvitation } from '#manager/people/manage.ts'
import { listProviders } from '#manager/people/providers.ts'
import { relyingPartyAt } from '#manager/people/relying-party.ts'
import { useFactor } from '#manager/people/second-factor.ts'
import { endSession } from '#manager/people/sessions.ts'
import { checkPassword } from '#manager/people/sign-in.ts'
import { addressOf, sessionOf } from './authenticate.ts'
import { NO_SIGN_IN_BEGUN } from './errors.ts'
import { createSignInLimit } from './failure-limit.ts'
import { accountOf } from './known-browser.ts'
import { sessionOpener } from './open-session.ts'
import type { ApiParts } from './parts.ts'
import { refuseOtherOrigin } from './session-cookie.ts'
import type { Api } from './shape.ts'
import { ownPage } from './token-page.ts'

const tags = ['people']

/** How a person without a session gets one. */
export function signInRoutes(api: Api, parts: ApiParts): void {
  const { db, clock } = parts
  const limit = createSignInLimit(clock)

  const openFor = sessionOpener(parts)

  /** Nobody is signed in by the page of another (and works in the other's account without knowing). */
  const onRequest = ownPage(parts)

  api.get(
    '/api/v1/sign-in',
    {
      schema: {
        summary: 'How one can sign in',
        tags,
        security: [],
        response: { 200: SignInOptions },
      },
    },
    async () => ({
      first_start: await isFirstStart(db),
      providers: (await listProviders(parts)).map(({ name }) => ({ name, url: `/sign-in/${name}` })),
      passkeys: relyingPartyAt(parts.config.publicUrl) !== undefined,
    }),
  )

  api.post(
    '/api/v1/first-start',
    {
      onRequest,
      schema: {
        summary: 'Make the first account, an admin, and sign in',
        description:
          'With the code that the manager printed when it started, or that POST /api/v1/first-start/code gives. Afterwards there is nothing here.',
        tags,
        security: [],
        body: FirstStartBody,
        response: { 201: SignedIn },
      },
    },
    async (request, reply) => {
      const address = addressOf(request, parts)
      const person = await limit.guard({ address }, () => makeFirstAdmin(parts, request.body))
      return reply.code(201).send(await openFor(request, reply, { person, awaitsFactor: false }))
    },
  )

  api.post(
    '/api/v1/invitations',
    {
      onRequest,
      schema: {
        summary: 'Choose a password with the code of an invitation, and sign in',
        tags,
        security: [],
        body: AcceptBody,
        response: { 200: SignedIn },
      },
    },
    async (request, reply) => {
      const address = addressOf(request, parts)
      const person = await limit.guard({ address }, () => acceptInvitation(parts, request.body))
      return await openFor(request, reply, { person, awaitsFactor: false })
    },
  )

  api.post(
    '/api/v1/sign-in',
    {
      onRequest,
      schema: {
        summary: 'Sign in with e-mail address and password',
        description: 'The answer sets the cookie of the session.',
        tags,
        security: [],
        body: SignInBody,
        response: { 200: SignedIn },
      },
    },
    async (request, reply) => {
      const { email } = request.body
      const address = addressOf(request, parts)
      const person = await limit.guard({ address, account: accountOf(parts, request, email) }, () =>
        checkPassword(parts, request.body),
      )
      return await openFor(request, reply, { person, awaitsFactor: person.totp_at !== null })
    },
  )

  api.post(
    '/api/v1/sign-in/second-factor',
    {
      schema: {
        summary: 'Finish signing in with a code of the authenticator, or of recovery',
        description: 'The answer sets the cookie of another session, which opens everything.',
        tags,
        security: [],
        body: FactorBody,
        response: { 200: SignedIn },
      },
    },
    async (request, reply) => {
      const session = await sessionOf(parts, request)
      if (!session?.awaitsFactor) {
        throw NO_SIGN_IN_BEGUN()
      }
      refuseOtherOrigin(request, parts.config)
      const { id, person } = session
      await limit.guard({ address: addressOf(request, parts), account: `factor ${person.id}` }, () =>
        useFactor(parts, person.id, request.body.code),
      )
      await endSession(db, person.id, id)
      return await openFor(request, reply, { person, awaitsFactor: false })
    },
  )
}
