import type { FastifyRequest } from 'fastify'
import type { ManagerParts } from '#manager/parts.ts'
import { ORIGIN_REFUSED } from './errors.ts'
import { headerOf } from './shape.ts'

/** Browsers take it from this very host alone, for all of its paths, and send it encrypted or to the same machine. */
const NAME = '__Host-fairlead'
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Strict'

export function sessionCookie(value: string, seconds: number): string {
  return `${NAME}=${value}; Max-Age=${seconds}; ${ATTRIBUTES}`
}

export const NO_SESSION_COOKIE = `${NAME}=; Max-Age=0; ${ATTRIBUTES}`

/** What the cookie of a session holds; undefined where there is none, or more than one. */
export function sessionValueOf(request: FastifyRequest): string | undefined {
  const start = `${NAME}=`
  const cookies = (headerOf(request, 'cookie') ?? '').split(/[;,] */).filter(each => each.startsWith(start))
  return cookies.length === 1 ? cookies[0]?.slice(start.length) : undefined
}

/**
 * A cookie is sent by the browser, whoever had the idea: what changes something has to come from a page of this manager.
 * Apps of the same domain are the same site, so SameSite alone would not keep their pages out.
 */
export function refuseOtherOrigin(
  request: FastifyRequest,
  config: Pick<ManagerParts['config'], 'publicUrl'>,
): void {
  const isReading = request.method === 'GET' || request.method === 'HEAD'
  if (isReading && headerOf(request, 'upgrade') === undefined) {
    return
  }
  const origin = headerOf(request, 'origin') ?? ''
  const url = URL.parse(origin)
  const isOwn = url?.origin === new URL(config.publicUrl).origin || url?.host === headerOf(request, 'host')
  if (!url || !isOwn) {
    throw ORIGIN_REFUSED(origin)
  }
}
