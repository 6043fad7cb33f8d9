import type { FastifyReply, FastifyRequest } from 'fastify'
import { PASSKEY_LOST } from '#manager/people/passkey-errors.ts'
import type { ApiParts } from './parts.ts'
import { headerOf } from './shape.ts'

const NAME = '__Host-fairlead-passkey'
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Strict'
const VALID_MS = 5 * 60_000
/** Bound into the sealed value: no other one opens here. */
const PLACE = 'passkey'

interface Kept {
  readonly challenge: string
  /** Who adds a passkey; empty: somebody signs in. */
  readonly person: string
  readonly until: number
}

/** Challenges that browsers keep, sealed, until their device has answered; each is taken once. */
export function passkeyChallenges({ clock, sealer }: ApiParts) {
  /** Taken ones with their ends, by challenge. */
  const taken = new Map<string, number>()

  function give(reply: FastifyReply, challenge: string, person = ''): void {
    const kept: Kept = { challenge, person, until: clock.now() + VALID_MS }
    const sealed = sealer.seal(JSON.stringify(kept), PLACE)
    reply.header('set-cookie', `${NAME}=${sealed}; Max-Age=${VALID_MS / 1000}; ${ATTRIBUTES}`)
  }

  /** The challenge that was given for this; PASSKEY_LOST for none, an old, a taken or another one. */
  function take(request: FastifyRequest, person = ''): string {
    const now = clock.now()
    const kept = keptBy(request)
    if (!kept || kept.person !== person || now >= kept.until || taken.has(kept.challenge)) {
      throw PASSKEY_LOST()
    }
    for (const [challenge, until] of taken) {
      if (now >= until) {
        taken.delete(challenge)
      }
    }
    taken.set(kept.challenge, kept.until)
    return kept.challenge
  }

  function keptBy(request: FastifyRequest): Kept | undefined {
    const start = `${NAME}=`
    const cookie = (headerOf(request, 'cookie') ?? '').split(/[;,] */).find(each => each.startsWith(start))
    try {
      return cookie === undefined ? undefined : JSON.parse(sealer.open(cookie.slice(start.length), PLACE))
    } catch {
      // Made by somebody else, or with another key.
      return undefined
    }
  }

  return { give, take }
}
