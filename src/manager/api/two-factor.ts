import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Id, strict } from '#contract/rest/fields.ts'
import {
  FactorBegun,
  FactorBody,
  FactorPassword,
  FactorRemoval,
  RecoveryCodes,
  SignInRules,
} from '#contract/rest/people.ts'
import {
  beginFactor,
  confirmFactor,
  removeFactor,
  renewCodes,
  resetFactor,
} from '#manager/people/second-factor.ts'
import { readTwoFactorRule, setTwoFactorRule } from '#manager/people/sign-in-rules.ts'
import { addressOf } from './authenticate.ts'
import { createSignInLimit } from './failure-limit.ts'
import { signedIn } from './me.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'

const tags = ['people']

/** The second factor of who asks, who has to have one, and how an admin takes one away that was lost. */
export function twoFactorRoutes(api: Api, parts: ApiParts): void {
  const { db } = parts
  const limit = createSignInLimit(parts.clock)
  const guesser = (request: FastifyRequest) => ({
    address: addressOf(request, parts),
    account: signedIn(request).person.id,
  })

  api.post(
    '/me/two-factor',
    {
      schema: {
        summary: 'Begin with a second factor',
        description: 'It counts from POST /api/v1/me/two-factor/confirm on.',
        tags,
        body: FactorPassword,
        response: { 201: FactorBegun },
      },
    },
    async (request, reply) => {
      const proof = { ...signedIn(request), password: request.body.password ?? '' }
      return reply.code(201).send(await limit.guard(guesser(request), () => beginFactor(parts, proof)))
    },
  )

  api.post(
    '/me/two-factor/confirm',
    {
      schema: {
        summary: 'Turn the second factor on with a code of it',
        tags,
        body: FactorBody,
        response: { 200: RecoveryCodes },
      },
    },
    async request => {
      const { person } = signedIn(request)
      const confirm = () => confirmFactor(parts, person.id, request.body.code)
      return { recovery_codes: [...(await limit.guard(guesser(request), confirm))] }
    },
  )

  api.post(
    '/me/two-factor/recovery-codes',
    {
      schema: {
        summary: 'Make other recovery codes, in place of all there were',
        tags,
        body: FactorBody,
        response: { 200: RecoveryCodes },
      },
    },
    async request => {
      const { person } = signedIn(request)
      const renew = () => renewCodes(parts, person.id, request.body.code)
      return { recovery_codes: [...(await limit.guard(guesser(request), renew))] }
    },
  )

  api.post(
    '/me/two-factor/remove',
    {
      schema: {
        summary: 'Turn the second factor off, with a code of it or of recovery',
        tags,
        body: FactorRemoval,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { password = '', code } = request.body
      const proof = { ...signedIn(request), password }
      await limit.guard(guesser(request), () => removeFactor(parts, proof, code))
      return reply.code(204).send(null)
    },
  )

  api.delete(
    '/people/:person/two-factor',
    {
      schema: {
        summary: 'Take away the second factor of a person who has lost it',
        tags,
        params: Type.Object({ person: Id }, strict),
        response: { 204: Type.Null() },
      },
    },
    async ({ params }, reply) => {
      await resetFactor(parts, params.person)
      return reply.code(204).send(null)
    },
  )

  api.get(
    '/sign-in-rules',
    { schema: { summary: 'What signing in needs', tags, response: { 200: SignInRules } } },
    async () => ({ two_factor: await readTwoFactorRule(db) }),
  )

  api.put(
    '/sign-in-rules',
    {
      schema: {
        summary: 'Say what signing in needs',
        tags,
        body: SignInRules,
        response: { 200: SignInRules },
      },
    },
    async ({ body }) => {
      await setTwoFactorRule(db, body.two_factor)
      return body
    },
  )
}
