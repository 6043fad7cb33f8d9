import type { FastifyRequest } from 'fastify'
import { clientAddress } from '#manager/addresses.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { findSpeaker, type Speaker } from '#manager/people/tokens.ts'
import { TOKEN_MISSING, TOKEN_UNKNOWN } from './errors.ts'
import type { FailureLimit } from './failure-limit.ts'
import { headerOf } from './shape.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null outside of the authenticated routes. */
    speaker: Speaker | null
  }
}

/** Lets only requests with a valid bearer token pass. Tokens in the query or in cookies are not looked at. */
export function authenticator(parts: ManagerParts, limit: FailureLimit) {
  return async (request: FastifyRequest): Promise<void> => {
    const header = headerOf(request, 'authorization')
    if (header === undefined) {
      throw TOKEN_MISSING()
    }
    const [, token = ''] = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(header) ?? []
    request.speaker = (await findSpeaker(parts, token)) ?? null
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
  const peer = request.raw.socket.remoteAddress ?? ''
  return clientAddress(peer, headerOf(request, 'x-forwarded-for'), config.trustedProxies)
}
