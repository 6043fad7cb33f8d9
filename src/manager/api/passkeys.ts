import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { Type } from 'typebox'
import {
  NewPasskey,
  PasskeyBegin,
  PasskeyList,
  PasskeyOptions,
  PasskeyPath,
  PasskeySignIn,
} from '#contract/rest/passkeys.ts'
import { SignedIn } from '#contract/rest/people.ts'
import { PASSKEY_NOT_FOUND } from '#manager/people/passkey-errors.ts'
import { neededRelyingParty } from '#manager/people/relying-party.ts'
import { refuseUnproven } from '#manager/people/second-factor.ts'
import { addressOf } from './authenticate.ts'
import { optionalTime, timeText } from './documents.ts'
import { createSignInLimit } from './failure-limit.ts'
import { signedIn } from './me.ts'
import { sessionOpener } from './open-session.ts'
import type { ApiParts } from './parts.ts'
import { passkeyChallenges } from './passkey-challenge.ts'
import type { Api } from './shape.ts'
import { ownPage } from './token-page.ts'

const tags = ['people']
/** Loaded when somebody uses one: who has none pays nothing. */
const loaded = () => import('#manager/people/passkeys.ts')

/** The passkeys of who asks. */
export function passkeyRoutes(api: Api, parts: ApiParts): void {
  const { db, clock } = parts
  const limit = createSignInLimit(clock)
  const challenges = passkeyChallenges(parts)
  const site = () => neededRelyingParty(parts.config.publicUrl)

  const listOf = async (person: string) => {
    const rows = await db
      .selectFrom('passkeys')
      .selectAll()
      .where('person_id', '=', person)
      .orderBy('created_at')
      .execute()
    const items = rows.map(({ id, name, created_at, used_at }) => ({
      ...{ id, name, created_at: timeText(created_at), used_at: optionalTime(used_at) },
    }))
    return { items }
  }

  api.get(
    '/me/passkeys',
    { schema: { summary: 'List your passkeys', tags, response: { 200: PasskeyList } } },
    async request => await listOf(signedIn(request).person.id),
  )

  api.post(
    '/me/passkeys/begin',
    {
      schema: {
        summary: 'Begin with a passkey',
        description:
          'The answer sets a cookie; the device has five minutes. 409 where people reach the manager by an address without a name.',
        tags,
        body: PasskeyBegin,
        response: { 200: PasskeyOptions },
      },
    },
    async (request, reply) => {
      const signed = signedIn(request)
      const proof = { ...signed, password: request.body.password ?? '' }
      const place = site()
      const guesser = { address: addressOf(request, parts), account: signed.person.id }
      await limit.guard(guesser, () => refuseUnproven(parts, proof))
      const options = await (await loaded()).beginPasskey(parts, place, signed.person)
      challenges.give(reply, options.challenge, signed.person.id)
      return { options }
    },
  )

  api.post(
    '/me/passkeys',
    {
      schema: {
        summary: 'Add the passkey that a device made',
        tags,
        body: NewPasskey,
        response: { 201: PasskeyList },
      },
    },
    async (request, reply) => {
      const { person } = signedIn(request)
      const { name, response } = request.body
      const answer = {
        ...{ site: site(), challenge: challenges.take(request, person.id) },
        response: response as unknown as RegistrationResponseJSON,
      }
      await (await loaded()).keepPasskey(parts, answer, { person, name })
      return reply.code(201).send(await listOf(person.id))
    },
  )

  api.delete(
    '/me/passkeys/:passkey',
    {
      schema: {
        summary: 'Remove one of your passkeys',
        description: 'Sessions that it opened stay.',
        tags,
        params: PasskeyPath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { numDeletedRows } = await db
        .deleteFrom('passkeys')
        .where('id', '=', request.params.passkey)
        .where('person_id', '=', signedIn(request).person.id)
        .executeTakeFirstOrThrow()
      if (numDeletedRows === 0n) {
        throw PASSKEY_NOT_FOUND()
      }
      return reply.code(204).send(null)
    },
  )
}

/** How a person without a session gets one by a passkey. */
export function passkeySignInRoutes(api: Api, parts: ApiParts): void {
  const limit = createSignInLimit(parts.clock)
  const challenges = passkeyChallenges(parts)
  const openFor = sessionOpener(parts)
  const onRequest = ownPage(parts)

  api.post(
    '/api/v1/sign-in/passkey/begin',
    {
      onRequest,
      schema: {
        summary: 'Begin to sign in with a passkey',
        description: 'The answer sets a cookie; the device has five minutes.',
        tags,
        security: [],
        response: { 200: PasskeyOptions },
      },
    },
    async (_, reply) => {
      const place = neededRelyingParty(parts.config.publicUrl)
      const options = await (await loaded()).beginPasskeySignIn(place)
      challenges.give(reply, options.challenge)
      return { options }
    },
  )

  api.post(
    '/api/v1/sign-in/passkey',
    {
      onRequest,
      schema: {
        summary: 'Sign in with what the device answered',
        description:
          'The answer sets the cookie of the session. A device that looked who is there stands for password and second factor.',
        tags,
        security: [],
        body: PasskeySignIn,
        response: { 200: SignedIn },
      },
    },
    async (request, reply) => {
      const site = neededRelyingParty(parts.config.publicUrl)
      const response = request.body.response as unknown as AuthenticationResponseJSON
      const person = await limit.guard({ address: addressOf(request, parts) }, async () => {
        const challenge = challenges.take(request)
        return await (await loaded()).personOfPasskey(parts, { site, challenge, response })
      })
      return await openFor(request, reply, { person, awaitsFactor: false })
    },
  )
}
