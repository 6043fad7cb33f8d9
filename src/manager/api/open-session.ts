import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SignedIn } from '#contract/rest/people.ts'
import { openSession, type Person } from '#manager/people/sessions.ts'
import { addressOf } from './authenticate.ts'
import { browserCookie } from './known-browser.ts'
import type { ApiParts } from './parts.ts'
import { noVisitCookie } from './preview-visits.ts'
import { sessionCookie } from './session-cookie.ts'
import { headerOf } from './shape.ts'

export interface Opening {
  readonly person: Person
  /** What was shown is not all that is needed. */
  readonly awaitsFactor: boolean
}

/** Opens a session of a person in the browser that asks; its cookies go with the answer. */
export function sessionOpener(parts: ApiParts) {
  return async (
    request: FastifyRequest,
    reply: FastifyReply,
    { person, awaitsFactor }: Opening,
  ): Promise<SignedIn> => {
    const { clock, logger } = parts
    const address = addressOf(request, parts)
    const program = headerOf(request, 'user-agent') ?? ''
    const wanted = { personId: person.id, awaitsFactor, address, program }
    const { id, value, endsAt } = await openSession(parts, wanted)
    reply.header('set-cookie', [
      sessionCookie(value, Math.round((endsAt - clock.now()) / 1000)),
      // What was seen here before with somebody else's token is not theirs.
      noVisitCookie(parts),
      ...(awaitsFactor ? [] : [browserCookie(parts, person.email)]),
    ])
    // For the audit log: whose sign-in this was.
    const session = { id, person, startedAt: clock.now(), endsAt, awaitsFactor }
    request.speaker = { tokenId: id, name: person.name, role: person.role, person, session }
    logger.info('people.signed-in', { person: person.id, address, awaits_factor: awaitsFactor })
    return { next: awaitsFactor ? 'second-factor' : 'done' }
  }
}
