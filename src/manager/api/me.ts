import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Id, strict } from '#contract/rest/fields.ts'
import {
  FirstStartCode,
  MeDocument,
  PasswordBody,
  type SessionDocument,
  SessionList,
} from '#contract/rest/people.ts'
import { FIRST_START_OVER, FOR_PEOPLE_ONLY } from '#manager/people/errors.ts'
import { offerFirstStart } from '#manager/people/first-start.ts'
import { ownProjects } from '#manager/people/projects.ts'
import { codesLeft } from '#manager/people/second-factor.ts'
import { endSession, listSessions, type Person, type Session } from '#manager/people/sessions.ts'
import { changePassword } from '#manager/people/sign-in.ts'
import { lacksFactor } from '#manager/people/sign-in-rules.ts'
import type { Speaker } from '#manager/people/tokens.ts'
import { addressOf, speakerOf } from './authenticate.ts'
import { timeText } from './documents.ts'
import { createSignInLimit } from './failure-limit.ts'
import type { ApiParts } from './parts.ts'
import { noVisitCookie } from './preview-visits.ts'
import { NO_SESSION_COOKIE } from './session-cookie.ts'
import type { Api } from './shape.ts'

const SessionPath = Type.Object({ session: Id }, strict)
const tags = ['people']

/** What people see and change of their own account. */
export function meRoutes(api: Api, parts: ApiParts): void {
  const { db, config } = parts
  const limit = createSignInLimit(parts.clock)

  api.get(
    '/me',
    { schema: { summary: 'Who asks, and what they may do', tags, response: { 200: MeDocument } } },
    async request => {
      const speaker = speakerOf(request)
      const [projects, needsFactor] = [await ownProjects(db, speaker), await lacksFactor(db, speaker)]
      return meDocument(speaker, { projects, needsFactor })
    },
  )

  api.post(
    '/sign-out',
    { schema: { summary: 'End the session that asks', tags, response: { 204: Type.Null() } } },
    async (request, reply) => {
      const { person, session } = signedIn(request)
      await endSession(db, person.id, session.id)
      return reply
        .code(204)
        .header('set-cookie', [NO_SESSION_COOKIE, noVisitCookie(parts)])
        .send(null)
    },
  )

  api.get(
    '/me/sessions',
    { schema: { summary: 'List your open sessions', tags, response: { 200: SessionList } } },
    async request => {
      const { person, session } = signedIn(request)
      const rows = await listSessions(parts, person.id)
      return {
        items: rows.map(
          (row): SessionDocument => ({
            id: row.id,
            is_this: row.id === session.id,
            created_at: timeText(row.created_at),
            used_at: timeText(row.used_at),
            ends_at: timeText(row.ends_at),
            address: row.address,
            program: row.program,
          }),
        ),
      }
    },
  )

  api.delete(
    '/me/sessions/:session',
    {
      schema: {
        summary: 'End one of your sessions',
        tags,
        params: SessionPath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await endSession(db, signedIn(request).person.id, request.params.session)
      return reply.code(204).send(null)
    },
  )

  api.post(
    '/me/password',
    {
      schema: {
        summary: 'Change your password',
        description: 'All your other sessions end.',
        tags,
        body: PasswordBody,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { person, session } = signedIn(request)
      const { current, new: wanted } = request.body
      await limit.guard({ address: addressOf(request, parts), account: person.id }, () =>
        changePassword(parts, person, { present: current, wanted, session: session.id }),
      )
      return reply.code(204).send(null)
    },
  )

  api.post(
    '/first-start/code',
    {
      schema: {
        summary: 'Get the code with which the first account is made',
        description: 'It holds for ten minutes and takes the place of any before.',
        tags,
        response: { 201: FirstStartCode },
      },
    },
    async (_request, reply) => {
      const offer = await offerFirstStart(parts)
      if (!offer) {
        throw FIRST_START_OVER()
      }
      const { code, until } = offer
      return reply
        .code(201)
        .send({ code, expires_at: timeText(until), url: `${config.publicUrl}/first-start` })
    },
  )
}

/** The person who has signed in, or FOR_PEOPLE_ONLY. */
export function signedIn(request: FastifyRequest): { readonly person: Person; readonly session: Session } {
  const { person, session } = speakerOf(request)
  if (!person || !session) {
    throw FOR_PEOPLE_ONLY()
  }
  return { person, session }
}

interface Known {
  readonly projects: MeDocument['projects']
  readonly needsFactor: boolean
}

function meDocument(speaker: Speaker, { projects, needsFactor }: Known): MeDocument {
  const { name, role, person, session, apps, scopes } = speaker
  return {
    kind: person ? 'person' : apps ? 'job' : 'token',
    name,
    email: person?.email ?? null,
    role,
    projects,
    scopes: scopes ? [...scopes] : null,
    two_factor: person ? person.totp_at !== null : false,
    factor_needed: needsFactor,
    recovery_codes: person ? codesLeft(person) : 0,
    session: session ? { id: session.id, ends_at: timeText(session.endsAt) } : null,
  }
}
