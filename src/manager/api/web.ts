import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Encoding, listWebFiles, type WebFile, webFolder } from '#manager/web/web-files.ts'
import { NOTHING_HERE } from './errors.ts'
import { type Api, headerOf } from './shape.ts'

/** Nothing is run, shown or asked that did not come from here; pages of notebooks are shown in frames of no origin. */
const POLICY = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')
const YEAR_SECONDS = 31_536_000

/**
 * The web interface. An address that is no file of it is a page of it, which the interface itself tells apart; only for
 * browsers, so that a program with a wrong address is still told so.
 */
export function webRoutes(server: Api, folder = webFolder()): void {
  const files = listWebFiles(folder)

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const path = request.url.split('?', 1)[0] ?? '/'
    const file = files.find(path) ?? (isPage(request, path) ? files.find('/index.html') : undefined)
    if (!file) {
      throw NOTHING_HERE(request.method, request.url)
    }
    return send(request, reply, file)
  }

  server.get('/', { schema: { hide: true } }, answer)
  server.get('/*', { schema: { hide: true } }, answer)
}

function isPage(request: FastifyRequest, path: string): boolean {
  return (
    headerOf(request, 'accept')?.includes('text/html') === true &&
    !/^\/(?:api|assets|hooks|preview|badges?)\//.test(path)
  )
}

function send(request: FastifyRequest, reply: FastifyReply, file: WebFile): FastifyReply {
  const { etag, type, isImmutable } = file
  reply.headers({
    etag,
    'content-security-policy': POLICY,
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': isImmutable ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache',
    vary: 'accept-encoding',
  })
  if (headerOf(request, 'if-none-match') === etag) {
    return reply.code(304).send()
  }
  const { bytes, encoding } = file.read(encodingsOf(request))
  if (encoding !== undefined) {
    reply.header('content-encoding', encoding)
  }
  return reply.type(type).send(bytes)
}

/** What the client takes, smallest first. */
function encodingsOf(request: FastifyRequest): Encoding[] {
  const accepted = (headerOf(request, 'accept-encoding') ?? '').toLowerCase().split(/\s*,\s*/)
  return (['br', 'gzip'] as const).filter(encoding =>
    accepted.some(
      each => each === encoding || (each.startsWith(`${encoding};`) && !/;\s*q=0(?:\.0*)?$/.test(each)),
    ),
  )
}
