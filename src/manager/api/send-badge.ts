import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Badge, badgeSvg } from '#manager/badges/badge.ts'
import { headerOf } from './shape.ts'

/** Answers with the picture, or that the asker has it already. */
export async function sendBadge(
  request: FastifyRequest,
  reply: Pick<FastifyReply, 'headers' | 'code' | 'serializer' | 'send'>,
  { badge, cacheControl }: { readonly badge: Badge; readonly cacheControl: string },
) {
  const svg = badgeSvg(badge)
  const etag = `"${createHash('sha256').update(svg).digest('base64url').slice(0, 27)}"`
  reply.headers({
    'content-type': 'image/svg+xml; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    'cache-control': cacheControl,
    etag,
  })
  const known = headerOf(request, 'if-none-match')
    ?.split(',')
    .map(each => each.trim().replace(/^W\//, ''))
  return known?.includes(etag) || known?.includes('*')
    ? reply.code(304).send(null)
    : reply.serializer((text: unknown) => String(text)).send(svg)
}
