import type { FastifyReply, FastifyRequest } from 'fastify'
import { headerOf } from './shape.ts'

/** No version is ever this: a malformed If-Match matches nothing. */
const NO_VERSION = -1

/** The version that If-Match names; undefined when whatever is there may be changed. */
export function wantedVersion(request: FastifyRequest): number | undefined {
  const header = headerOf(request, 'if-match')
  if (header === undefined || header === '*') {
    return undefined
  }
  const [, version] = /^"(\d{1,15})"$/.exec(header) ?? []
  return version === undefined ? NO_VERSION : Number(version)
}

export function withVersion(reply: FastifyReply, version: number): void {
  reply.header('etag', `"${version}"`)
}
