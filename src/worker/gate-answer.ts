import { readVisit, type Visit } from './gate-visits.ts'

/** Below the place of every guarded name. */
const OWN_PATH = '_fairlead/'
/** Where a link with a ticket leads. */
const OPEN_PATH = `${OWN_PATH}open`
/** Where visitors go who choose between what serves and what served when they came. */
export const CHOICES = { move: `${OWN_PATH}move`, stay: `${OWN_PATH}stay` } as const

/** What the proxy tells of a request to a guarded name. */
export interface AskedVisit {
  readonly method: string
  /** Path and query, as the visitor sent it. */
  readonly uri: string
  /** Where on its host the name is: `/`, or `/nb/churn/` where it shares it. */
  readonly base: string
  readonly host: string
  readonly scheme: string
  readonly isUpgrade: boolean
  readonly cookie?: string | undefined
  readonly origin?: string | undefined
  /** Sec-Fetch-Site and Sec-Fetch-Mode, of browsers of today. */
  readonly fetchSite?: string | undefined
  readonly fetchMode?: string | undefined
  readonly accept?: string | undefined
}

/**
 * Whether somebody looks at a page, and no page of theirs asks by itself. Over plain HTTP browsers do not say which it is,
 * but only for a page they want HTML.
 */
export function isVisit({ method, isUpgrade, fetchMode, accept = '' }: AskedVisit): boolean {
  const isPage = fetchMode === undefined ? /\btext\/html\b/i.test(accept) : fetchMode === 'navigate'
  return method === 'GET' && !isUpgrade && isPage
}

export type GateAnswer =
  | { readonly kind: 'pass'; readonly visit: Visit }
  /** Somebody came by a link, to a place below the base. */
  | { readonly kind: 'open'; readonly ticket: string; readonly to: string }
  /** A visitor chose what they want to be served by. */
  | { readonly kind: 'move' | 'stay'; readonly visit: Visit; readonly to: string }
  | { readonly kind: 'unknown' }
  /** Another site asks in the visitor's name. */
  | { readonly kind: 'foreign' }

/**
 * Whether a request may pass to a guarded app. What runs there believes the proxy and checks neither origin nor forgery,
 * so that is done here: neighbours are other hosts of the same site, for which no cookie rule is strict enough.
 */
export function answerVisit(asked: AskedVisit, key: string | undefined, now: number): GateAnswer {
  const [path = '', query = ''] = split(asked.uri, '?')
  if (path === `${asked.base}${OPEN_PATH}`) {
    const fields = new URLSearchParams(query)
    return { kind: 'open', ticket: fields.get('s') ?? '', to: placeOf(fields.get('to')) }
  }
  const visit = knownVisit(asked, key, now)
  if (!visit) {
    return { kind: 'unknown' }
  }
  if (isForeign(asked)) {
    return { kind: 'foreign' }
  }
  const choice = (['move', 'stay'] as const).find(each => path === `${asked.base}${CHOICES[each]}`)
  return choice && !isFromOutside(asked)
    ? { kind: choice, visit, to: placeOf(new URLSearchParams(query).get('to')) }
    : { kind: 'pass', visit }
}

/** Of whom is known already that they were let in. */
export function knownVisit(
  { cookie = '', scheme, base }: AskedVisit,
  key: string | undefined,
  now: number,
): Visit | undefined {
  return key === undefined ? undefined : readVisit(cookie, { scheme, base, key, now })
}

/** What somebody wanted to see, from the base, as links name it. */
export function wishedPlace({ uri, base }: Pick<AskedVisit, 'uri' | 'base'>): string {
  const isBelow = uri.startsWith(base) && !uri.startsWith(`${base}${OWN_PATH}`)
  return isBelow ? placeOf(uri.slice(base.length - 1)) : '/'
}

/** On the same host and nowhere else. */
function placeOf(to: string | null): string {
  return to !== null && /^\/(?![/\\])[!-~]{0,1000}$/.test(to) ? to : '/'
}

function isForeign({ method, isUpgrade, origin, scheme, host, fetchSite, fetchMode }: AskedVisit): boolean {
  if (origin !== undefined && origin !== `${scheme}://${host}`) {
    return method !== 'GET' || isUpgrade || fetchMode !== 'navigate'
  }
  if (isUpgrade) {
    // Every browser says where a WebSocket comes from.
    return origin === undefined
  }
  return isFromOutside({ fetchSite }) && !(method === 'GET' && fetchMode === 'navigate')
}

function isFromOutside({ fetchSite }: Pick<AskedVisit, 'fetchSite'>): boolean {
  return fetchSite === 'cross-site' || fetchSite === 'same-site'
}

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
