import type { FastifyReply, FastifyRequest } from 'fastify'
import { background } from '#lib/background.ts'
import { asFairleadError } from '#lib/errors.ts'
import { sessionWithId } from '#manager/people/sessions.ts'
import { type Speaker, speakerWithId } from '#manager/people/tokens.ts'
import { speakerOf } from './authenticate.ts'
import { authoriser } from './authorise.ts'
import type { ApiParts } from './parts.ts'
import type { EventStream, Open } from './streams.ts'

/** How long a stream may outlive what it was opened with. */
const LOOK_EVERY_MS = 3_000

/**
 * Opens a stream of events that ends soon after its session or token has ended, or may do something else than before.
 * Whoever still may see it comes back by themselves.
 */
export function openStream(parts: ApiParts, request: FastifyRequest, reply: FastifyReply): EventStream {
  const stream = parts.streams.open(reply)
  endWithRights(parts, request, stream)
  return stream
}

/** Ends what goes on after its request when whoever asked for it may not have it any more. */
export function endWithRights(parts: ApiParts, request: FastifyRequest, stream: Open): void {
  const before = speakerOf(request)
  const authorise = authoriser(parts)
  let isLooking = false

  async function look(): Promise<void> {
    const now = await speakerNow(parts, before)
    if (!now || rightsOf(now) !== rightsOf(before)) {
      stream.end()
      return
    }
    await authorise(request)
  }

  const timer = parts.clock.every(LOOK_EVERY_MS, () => {
    if (isLooking) {
      return
    }
    isLooking = true
    const looked = look()
      .catch(error => {
        // Only a refusal is one: while the store is in trouble nobody's rights have changed.
        if (asFairleadError(error).status < 500) {
          stream.end()
        }
      })
      .finally(() => {
        isLooking = false
      })
    background(looked, error => parts.logger.warn('api.stream-broken', { message: error.message }))
  })
  stream.signal.addEventListener('abort', () => timer.close())
}

async function speakerNow(parts: ApiParts, { tokenId, session }: Speaker) {
  if (!session) {
    return await speakerWithId(parts, tokenId)
  }
  const person = (await sessionWithId(parts, session.id))?.person
  return person && { role: person.role }
}

/** Those that are not looked up for each request. */
function rightsOf({ role, apps }: Pick<Speaker, 'role' | 'apps'>): string {
  return JSON.stringify([role, apps])
}
