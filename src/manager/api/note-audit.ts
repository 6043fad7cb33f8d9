import type { FastifyReply, FastifyRequest } from 'fastify'
import { background } from '#lib/background.ts'
import type { Audit } from '#manager/audit/audit.ts'
import { detailsOf, madeBy } from './audit-details.ts'
import { addressOf } from './authenticate.ts'
import type { ApiParts } from './parts.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What it asks for is in the audit log; how it ends has to follow. */
    isAudited: boolean
    /** What its answer calls the thing that it made. */
    madeThing: string | null
  }
}

const WINDOW_MS = 60_000
/** Refusals that are written down within a minute: whoever knocks all the time must not fill the disk. */
const MOST_REFUSALS = 100

/**
 * Writes down who wants to change something before it is done, and afterwards how it ended: what has no second line was
 * cut off in the middle. Refusals get one line.
 */
export function auditing(parts: ApiParts, audit: Audit) {
  const { clock, logger } = parts
  let refusals = { since: Number.NEGATIVE_INFINITY, count: 0 }

  function isOneTooMany(): boolean {
    const now = clock.monotonic()
    if (now - refusals.since > WINDOW_MS) {
      refusals = { since: now, count: 0 }
    }
    refusals.count += 1
    if (refusals.count === MOST_REFUSALS + 1) {
      logger.warn('audit.refusals-left-out', { within_ms: WINDOW_MS })
    }
    return refusals.count > MOST_REFUSALS
  }

  const lineOf = (request: FastifyRequest) => auditLine(parts, request)

  function noteEnd(request: FastifyRequest, status: number): void {
    const result = status < 400 ? 'done' : status < 500 ? 'refused' : 'failed'
    // The answer does not wait for it: that it was asked for is on the disk.
    background(audit.add({ ...lineOf(request), result, status }), error =>
      logger.error('audit.not-written', { request: request.id, message: error.message }),
    )
  }

  return {
    async before(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      if (request.method === 'GET' || reply.sent) {
        return
      }
      await audit.add({ ...lineOf(request), result: 'asked', status: null })
      request.isAudited = true
    },

    async made(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
      if (request.isAudited && (reply.statusCode === 201 || reply.statusCode === 202)) {
        request.madeThing = madeBy(payload)
      }
      return payload
    },

    async after(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      const { statusCode: status } = reply
      const isRefused = status === 401 || status === 403 || status === 429
      if (request.isAudited || (isRefused && !isOneTooMany())) {
        noteEnd(request, status)
      }
    },

    /** Where nobody is known beforehand, so that anybody could fill the disk: only how it ended. */
    async afterOpen(request: FastifyRequest, { statusCode: status }: FastifyReply): Promise<void> {
      if (request.method !== 'GET' && (status < 400 || !isOneTooMany())) {
        noteEnd(request, status)
      }
    },
  }
}

/** Who asked for what, before it is said how that ended. */
export function auditLine(parts: ApiParts, request: FastifyRequest) {
  const { hash } = (request.body ?? {}) as { hash?: unknown }
  return {
    request: request.id,
    who: whoIs(request),
    address: addressOf(request, parts),
    action: `${request.method} ${request.routeOptions.url ?? ''}`,
    target: request.url.split('?')[0]?.slice(0, 300) ?? '',
    details: detailsOf(request),
    plan_hash: typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash) ? hash : null,
  }
}

/** A person by their address, which is theirs alone; a token by its name and id. */
function whoIs({ speaker }: FastifyRequest): string {
  if (!speaker) {
    return 'nobody'
  }
  const { person, session, name, tokenId } = speaker
  const token = `token ${tokenId}`
  return person ? `${person.email}${session ? '' : ` with ${token}`}` : `${name} (${token})`
}
