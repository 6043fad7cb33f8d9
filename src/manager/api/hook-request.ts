import { isUtf8 } from 'node:buffer'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RawDelivery } from '#git-hosts/git-host.ts'
import { GIT_HOSTS } from '#git-hosts/index.ts'
import { BUSY, CONTENT_TYPE_REFUSED, MALFORMED_REQUEST } from './errors.ts'
import { isDeeperThan } from './json-depth.ts'

/** GitHub sends at most 25 MB, and never that much for a push. */
export const MOST_BODY_BYTES = 5 * 1024 * 1024
/** Bodies that are being received at the same time, of all senders together. */
const MOST_BYTES_AT_ONCE = 64 * 1024 * 1024
const MOST_DEPTH = 64

/** Headers that decide. Which of them a hook uses is not asked here: who guesses hooks must see no difference. */
const DECISIVE = new Set(
  GIT_HOSTS.flatMap(({ headers }) => [
    headers.signature,
    headers.delivery,
    headers.event,
    headers.timestamp,
  ]).filter(name => name !== undefined),
)

/** Refuses what is not in the form of a delivery, before its body is read. */
export function refuseForm(request: FastifyRequest): void {
  const { headers } = request
  const type = headers['content-type'] ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type) || headers['content-encoding'] !== undefined) {
    throw CONTENT_TYPE_REFUSED()
  }
  const seen = new Set<string>()
  for (let index = 0; index < request.raw.rawHeaders.length; index += 2) {
    const name = (request.raw.rawHeaders[index] ?? '').toLowerCase()
    if (DECISIVE.has(name) && seen.has(name)) {
      throw MALFORMED_REQUEST(`the header ${name} stands twice`)
    }
    seen.add(name)
  }
}

/** Counts what is being received, and refuses more than the budget. */
export function createByteBudget(): (request: FastifyRequest, reply: FastifyReply) => void {
  let receiving = 0
  return (request, reply) => {
    const announced = Number(request.headers['content-length'] ?? MOST_BODY_BYTES)
    const bytes = Math.min(announced, MOST_BODY_BYTES)
    if (receiving + bytes > MOST_BYTES_AT_ONCE) {
      throw BUSY()
    }
    receiving += bytes
    reply.raw.once('close', () => {
      receiving -= bytes
    })
  }
}

/** Headers by name and the raw bytes: what a signature is over. */
export function rawDelivery(request: FastifyRequest, receivedAt: number): RawDelivery {
  const headers: Record<string, string | undefined> = {}
  for (const name of DECISIVE) {
    const value = request.headers[name]
    headers[name] = typeof value === 'string' ? value : undefined
  }
  return { headers, body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0), receivedAt }
}

/** The value in a verified body. */
export function parsedBody(body: Buffer): unknown {
  if (isDeeperThan(body, MOST_DEPTH)) {
    throw MALFORMED_REQUEST('it is nested too deep')
  }
  const value = valueIn(body)
  if (value === undefined) {
    throw MALFORMED_REQUEST('it is not JSON in UTF-8')
  }
  return value
}

/** No JSON text means undefined. */
function valueIn(body: Buffer): unknown {
  try {
    return isUtf8(body) ? JSON.parse(body.toString('utf8')) : undefined
  } catch {
    return undefined
  }
}
