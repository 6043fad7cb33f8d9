import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { RawDelivery } from '#git-hosts/git-host.ts'
import { GIT_HOSTS } from '#git-hosts/index.ts'
import { BODY_TOO_LARGE, BUSY, CONTENT_TYPE_REFUSED, MALFORMED_REQUEST } from './errors.ts'
import { isDeeperThan } from './json-depth.ts'

/** GitHub sends at most 25 MB, and never that much for a push. */
const MOST_BODY_BYTES = 5 * 1024 * 1024
/** Of bodies that are being received at the same time, of all senders together. */
const MOST_BYTES_AT_ONCE = 64 * 1024 * 1024
/** So large deliveries are rare; smaller ones are always taken in, whatever others send. */
const SMALL_BYTES = 256 * 1024
/** Large bodies of one address at the same time. */
const MOST_OF_ADDRESS = 8
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

/**
 * Reads bodies, and counts what has really come: an announcement costs a sender nothing. A large body is refused when
 * its address sends many of them, or when there is too much of all.
 */
export function createBodyReader(addressIn: (request: FastifyRequest) => string) {
  const largeOf = new Map<string, number>()
  let receiving = 0

  return async (request: FastifyRequest, payload: IncomingMessage): Promise<Buffer> => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const address = addressIn(request)
    const chunks: Buffer[] = []
    let size = 0
    let isLarge = false

    function grow(bytes: number): void {
      if (!isLarge && bytes > SMALL_BYTES) {
        const open = largeOf.get(address) ?? 0
        if (open >= MOST_OF_ADDRESS) {
          throw BUSY()
        }
        largeOf.set(address, open + 1)
        isLarge = true
      }
      if (bytes > MOST_BODY_BYTES) {
        throw BODY_TOO_LARGE()
      }
    }

    function onData(chunk: Buffer): void {
      size += chunk.length
      receiving += chunk.length
      chunks.push(chunk)
      try {
        grow(size)
        if (isLarge && receiving > MOST_BYTES_AT_ONCE) {
          throw BUSY()
        }
      } catch (error) {
        reject(error)
      }
    }

    request.raw.socket.once('close', onClose)
    function onClose(): void {
      reject(MALFORMED_REQUEST('its body was not sent to its end'))
    }
    try {
      grow(Number(request.headers['content-length'] ?? 0))
      payload
        .on('data', onData)
        .once('end', () => resolve(Buffer.concat(chunks)))
        .once('error', onClose)
      return await promise
    } finally {
      payload.off('data', onData)
      payload.resume()
      request.raw.socket.off('close', onClose)
      receiving -= size
      const left = (largeOf.get(address) ?? 0) - Number(isLarge)
      if (left > 0) {
        largeOf.set(address, left)
      } else {
        largeOf.delete(address)
      }
    }
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
