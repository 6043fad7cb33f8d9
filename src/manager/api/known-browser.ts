import type { FastifyRequest } from 'fastify'
import { randomText } from '#lib/id.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { headerOf } from './shape.ts'

const NAME = '__Host-fairlead-browser'
const VALID_SECONDS = 365 * 24 * 3_600
/** Bound into the sealed value: no other one opens here. */
const PLACE = 'known-browsers'

type Parts = Pick<ManagerParts, 'sealer'>

/**
 * A browser in which somebody has signed in before. It lets nobody in; guesses of others at that account are not counted
 * against it, so that whoever knows an address cannot shut its owner out.
 */
export function browserCookie({ sealer }: Parts, email: string): string {
  const value = sealer.seal(JSON.stringify({ browser: randomText(12), email }), PLACE)
  return `${NAME}=${value}; Max-Age=${VALID_SECONDS}; Path=/; HttpOnly; Secure; SameSite=Strict`
}

/** Under which name failed attempts at an account are counted: a known browser has its own. */
export function accountOf({ sealer }: Parts, request: FastifyRequest, email: string): string {
  const account = email.toLowerCase()
  const start = `${NAME}=`
  const cookie = (headerOf(request, 'cookie') ?? '').split(/[;,] */).find(each => each.startsWith(start))
  try {
    const known = JSON.parse(sealer.open(cookie?.slice(start.length) ?? '', PLACE)) as Record<string, string>
    return known.email === account ? `${account} in ${known.browser}` : account
  } catch {
    // None, made by somebody else, or with another key.
    return account
  }
}
