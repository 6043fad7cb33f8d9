import { createHmac, timingSafeEqual } from 'node:crypto'

/** Who was let in, and until when. */
export interface Visit {
  readonly visitor: string
  /** Milliseconds since 1970. */
  readonly until: number
  /** When they came, or moved to what served then. */
  readonly since: number
  /** The earlier deployment that they chose to stay with. */
  readonly stays?: string | undefined
}

const NAME = 'fairlead-visit'

/** Where on which kind of host a cookie is for. */
export interface CookiePlace {
  readonly scheme: string
  /** Path that it is sent to. */
  readonly base: string
}

/**
 * With `__Host-` a browser takes it from this very host over TLS only, and for all of the host; `__Secure-` leaves out the
 * host. Without TLS it would take neither.
 */
export function cookieNameOf({ scheme, base }: CookiePlace): string {
  if (scheme !== 'https') {
    return NAME
  }
  return base === '/' ? `__Host-${NAME}` : `__Secure-${NAME}`
}

/** The value of a visitor's cookie, signed: nothing about visits is kept. */
export function writeVisit(visit: Visit, key: string): string {
  const text = Buffer.from(JSON.stringify([visit.visitor, visit.until, visit.since, visit.stays])).toString(
    'base64url',
  )
  return `${text}.${signatureOf(text, key).toString('base64url')}`
}

/** The visit that a Cookie header tells of, when it was signed with the key and has not ended. */
export function readVisit(
  cookies: string,
  { key, now, ...place }: CookiePlace & { readonly key: string; readonly now: number },
): Visit | undefined {
  const wanted = `${cookieNameOf(place)}=`
  return cookies
    .split(';')
    .map(each => each.trim())
    .filter(each => each.startsWith(wanted))
    .map(each => readSigned(each.slice(wanted.length), key))
    .find(visit => visit && visit.until > now)
}

function readSigned(value: string, key: string): Visit | undefined {
  const [text = '', signature = ''] = value.split('.')
  const given = Buffer.from(signature, 'base64url')
  const made = signatureOf(text, key)
  if (given.length !== made.length || !timingSafeEqual(given, made)) {
    return undefined
  }
  const said = JSON.parse(Buffer.from(text, 'base64url').toString()) as [string, number, number, string?]
  const [visitor, until, since, stays] = said
  return { visitor, until, since, stays: stays ?? undefined }
}

function signatureOf(text: string, key: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
