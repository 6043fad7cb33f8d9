import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { asFairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { speakerOf } from './authenticate.ts'
import { IDEMPOTENCY_IN_PROGRESS, IDEMPOTENCY_KEY_INVALID, IDEMPOTENCY_KEY_REUSED } from './errors.ts'
import { headerOf } from './shape.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The key of a request whose answer has to be kept. */
    idempotencyKey: string | null
  }
}

/**
 * Makes writes with an Idempotency-Key happen once: the first answer is kept (sealed, it may hold a secret)
 * for a day and repeated. A request that a killed process left unanswered is run again.
 */
export function idempotency(parts: ManagerParts) {
  const { db, clock, sealer, logger } = parts
  // Not by the clock: that of a manager that led before may be ahead of ours.
  const run = newId()

  async function before(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const key = headerOf(request, 'idempotency-key')
    if (key === undefined || request.method === 'GET' || request.method === 'HEAD') {
      return undefined
    }
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw IDEMPOTENCY_KEY_INVALID()
    }
    const { tokenId } = speakerOf(request)
    const kept = await claim({ token_id: tokenId, key }, fingerprint(request))
    if (!kept) {
      request.idempotencyKey = key
      return undefined
    }
    const payload = kept.response === null ? '' : sealer.open(kept.response, idempotencyPlace(tokenId, key))
    return reply
      .code(kept.status)
      .header('idempotent-replayed', 'true')
      .type(kept.status < 400 ? 'application/json; charset=utf-8' : 'application/problem+json; charset=utf-8')
      .serializer((text: string) => text)
      .send(payload)
  }

  /** Undefined: the request is ours to run. */
  async function claim(row: { token_id: string; key: string }, request: string) {
    return await inTransaction(db, async transaction => {
      const found = await transaction
        .selectFrom('idempotency')
        .selectAll()
        .where('token_id', '=', row.token_id)
        .where('key', '=', row.key)
        .executeTakeFirst()
      if (!found) {
        await transaction
          .insertInto('idempotency')
          .values({
            ...{ ...row, status: 0, response: null, created_at: clock.now(), run },
            request_sealed: sealer.seal(request, requestPlace(row.token_id, row.key)),
          })
          .execute()
        return undefined
      }
      if (sealer.open(found.request_sealed, requestPlace(row.token_id, row.key)) !== request) {
        throw IDEMPOTENCY_KEY_REUSED()
      }
      if (found.status === 0 && found.run === run) {
        throw IDEMPOTENCY_IN_PROGRESS()
      }
      if (found.status === 0) {
        await transaction
          .updateTable('idempotency')
          .set({ created_at: clock.now(), run })
          .where('token_id', '=', row.token_id)
          .where('key', '=', row.key)
          .execute()
        return undefined
      }
      return found
    })
  }

  async function after(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
    const key = request.idempotencyKey
    if (key === null) {
      return payload
    }
    const { tokenId } = speakerOf(request)
    const text = typeof payload === 'string' ? payload : ''
    try {
      if (reply.statusCode >= 500) {
        await db.deleteFrom('idempotency').where('token_id', '=', tokenId).where('key', '=', key).execute()
        return payload
      }
      await db
        .updateTable('idempotency')
        .set({ status: reply.statusCode, response: sealer.seal(text, idempotencyPlace(tokenId, key)) })
        .where('token_id', '=', tokenId)
        .where('key', '=', key)
        .execute()
    } catch (error) {
      // What was asked for is done; only a repetition would be done again.
      logger.error('api.answer-not-kept', { request: request.id, message: asFairleadError(error).message })
    }
    return payload
  }

  return { before, after }
}

/** Passwords and secrets are in there: whoever reads the database must not be able to guess at them, be it by a hash. */
function fingerprint(request: FastifyRequest): string {
  const body = request.body === undefined ? '' : JSON.stringify(request.body)
  return createHash('sha256')
    .update([request.method, request.url, headerOf(request, 'if-match') ?? '', body].join('\n'))
    .digest('hex')
}

export function requestPlace(tokenId: string, key: string): string {
  return `idempotency/${tokenId}/${key}/request`
}

export function idempotencyPlace(tokenId: string, key: string): string {
  return `idempotency/${tokenId}/${key}`
}
