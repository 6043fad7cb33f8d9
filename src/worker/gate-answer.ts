import { readVisit, type Visit } from './gate-visits.ts'

/** Where a link with a ticket leads, on every guarded host. */
export const OPEN_PATH = '/_fairlead/open'

/** What the proxy tells of a request to a guarded name. */
export interface AskedVisit {
  readonly method: string
  /** Path and query, as the visitor sent it. */
  readonly uri: string
  readonly host: string
  readonly scheme: string
  readonly isUpgrade: boolean
  readonly cookie?: string | undefined
  readonly origin?: string | undefined
  /** Sec-Fetch-Site and Sec-Fetch-Mode, of browsers of today. */
  readonly fetchSite?: string | undefined
  readonly fetchMode?: string | undefined
}

/** Whether somebody looks at a page, and no page of theirs asks by itself. */
export function isVisit({ method, isUpgrade, fetchMode }: AskedVisit): boolean {
  return method === 'GET' && !isUpgrade && (fetchMode === undefined || fetchMode === 'navigate')
}

export type GateAnswer =
  | { readonly kind: 'pass'; readonly visit: Visit }
  /** Somebody came by a link. */
  | { readonly kind: 'open'; readonly ticket: string; readonly to: string }
  | { readonly kind: 'unknown' }
  /** Another site asks in the visitor's name. */
  | { readonly kind: 'foreign' }

/**
 * Whether a request may pass to a guarded app. What runs there believes the proxy and checks neither origin nor forgery,
 * so that is done here: neighbours are other hosts of the same site, for which no cookie rule is strict enough.
 */
export function answerVisit(asked: AskedVisit, key: string | undefined, now: number): GateAnswer {
  const [path = '', query = ''] = split(asked.uri, '?')
  if (path === OPEN_PATH) {
    const fields = new URLSearchParams(query)
    return { kind: 'open', ticket: fields.get('s') ?? '', to: placeOf(fields.get('to')) }
  }
  const { cookie = '', scheme } = asked
  const visit = key === undefined ? undefined : readVisit(cookie, { scheme, key, now })
  if (!visit) {
    return { kind: 'unknown' }
  }
  return isForeign(asked) ? { kind: 'foreign' } : { kind: 'pass', visit }
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
  const isOther = fetchSite === 'cross-site' || fetchSite === 'same-site'
  return isOther && !(method === 'GET' && fetchMode === 'navigate')
}

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
