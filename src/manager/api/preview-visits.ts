import type { FastifyRequest } from 'fastify'
import { type Speaker, speakerWithId } from '#manager/people/tokens.ts'
import type { ApiParts } from './parts.ts'
import { headerOf } from './shape.ts'

const NAME = 'fairlead-preview'
/** As long as a visit of a guarded app. */
const VALID_MS = 12 * 3_600_000
/** Bound into the sealed value: no other one opens here. */
const PLACE = 'preview-visits'

type Parts = Pick<ApiParts, 'sealer' | 'clock' | 'db' | 'config'>

/**
 * The cookie of a browser whose person has shown a token: for pages of notebooks alone, and for as long as that token is
 * there. It is no token: nothing else takes it.
 */
export function visitCookie({ sealer, clock, config }: Parts, { tokenId }: Speaker): string {
  const sealed = sealer.seal(JSON.stringify({ token: tokenId, until: clock.now() + VALID_MS }), PLACE)
  return `${NAME}=${sealed}; Max-Age=${VALID_MS / 1000}; ${attributes(config)}`
}

/** For who signs in or out: the browser forgets whose token was shown in it. */
export function noVisitCookie({ config }: Pick<Parts, 'config'>): string {
  return `${NAME}=; Max-Age=0; ${attributes(config)}`
}

function attributes({ publicUrl }: Parts['config']): string {
  const { pathname, protocol } = new URL(publicUrl)
  const secure = protocol === 'https:' ? '; Secure' : ''
  // Lax: links to these pages stand in repositories.
  return `Path=${pathname.replace(/\/$/, '')}/preview; HttpOnly; SameSite=Lax${secure}`
}

/** Who has shown a token in this browser before; undefined for nobody. */
export async function visitorOf(parts: Parts, request: FastifyRequest): Promise<Speaker | undefined> {
  const { token, until } = opened(parts, request) ?? {}
  if (token === undefined || until === undefined || parts.clock.now() >= until) {
    return undefined
  }
  const speaker = await speakerWithId(parts, token)
  return speaker?.apps === undefined ? speaker : undefined
}

function opened(
  { sealer }: Parts,
  request: FastifyRequest,
): { readonly token: string; readonly until: number } | undefined {
  const start = `${NAME}=`
  const cookies = (headerOf(request, 'cookie') ?? '').split(/[;,] */)
  const sealed = cookies.find(each => each.startsWith(start))?.slice(start.length)
  try {
    return sealed === undefined ? undefined : JSON.parse(sealer.open(sealed, PLACE))
  } catch {
    // Made by somebody else, or with another key.
    return undefined
  }
}
