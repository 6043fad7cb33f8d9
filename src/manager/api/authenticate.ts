import type { FastifyRequest } from 'fastify'
import { clientAddress } from '#manager/addresses.ts'
import { isPeerSocket } from '#manager/leadership/peer-sockets.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { findSession, type Session } from '#manager/people/sessions.ts'
import { findSpeaker, type Speaker } from '#manager/people/tokens.ts'
import { SECOND_FACTOR_MISSING, TOKEN_MISSING, TOKEN_UNKNOWN } from './errors.ts'
import type { FailureLimit } from './failure-limit.ts'
import { refuseOtherOrigin, sessionValueOf } from './session-cookie.ts'
import { headerOf } from './shape.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null outside of the authenticated routes. */
    speaker: Speaker | null
  }
}

/**
 * Lets only requests with a valid bearer token pass, or with the cookie of a person who has signed in. Tokens in the
 * query or in cookies are not looked at.
 */
export function authenticator(parts: ManagerParts, limit: FailureLimit) {
  return async (request: FastifyRequest): Promise<void> => {
    const header = headerOf(request, 'authorization')
    const cookie = sessionValueOf(request)
    if (header === undefined && cookie === undefined) {
      throw TOKEN_MISSING()
    }
    request.speaker =
      (header === undefined
        ? await personOfCookie(parts, request)
        : await findSpeaker(parts, tokenIn(header))) ?? null
    if (!request.speaker) {
      limit.note(addressOf(request, parts))
      throw TOKEN_UNKNOWN()
    }
  }
}

/** Name of the token that asks, for triggers and the log. */
export function speakerOf(request: FastifyRequest): Speaker {
  if (!request.speaker) {
    throw TOKEN_MISSING()
  }
  return request.speaker
}

export function addressOf(request: FastifyRequest, { config }: Pick<ManagerParts, 'config'>): string {
  const { socket } = request.raw
  const forwardedFor = headerOf(request, 'x-forwarded-for')
  if (!isPeerSocket(socket)) {
    return clientAddress(socket.remoteAddress ?? '', forwardedFor, config.trustedProxies)
  }
  // The last entry is what another manager has seen itself; the ones before were said to it.
  const hops = (forwardedFor ?? '').split(',')
  const peer = hops.pop() ?? ''
  return clientAddress(peer.trim(), hops.join(','), config.trustedProxies)
}

/** The session that a request shows by its cookie, whatever it still waits for. */
export async function sessionOf(
  parts: Pick<ManagerParts, 'db' | 'clock'>,
  request: FastifyRequest,
): Promise<Session | undefined> {
  const value = sessionValueOf(request)
  return value === undefined ? undefined : await findSession(parts, value)
}

async function personOfCookie(parts: ManagerParts, request: FastifyRequest): Promise<Speaker | undefined> {
  const session = await sessionOf(parts, request)
  if (!session) {
    return undefined
  }
  if (session.awaitsFactor) {
    throw SECOND_FACTOR_MISSING()
  }
  refuseOtherOrigin(request, parts.config)
  const { person } = session
  return { tokenId: session.id, name: person.name, role: person.role, person, session }
}

function tokenIn(header: string): string {
  const [, token = ''] = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(header) ?? []
  return token
}
