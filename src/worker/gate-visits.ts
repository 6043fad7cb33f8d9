import { createHmac, timingSafeEqual } from 'node:crypto'

/** Who was let in, and until when. */
export interface Visit {
  readonly visitor: string
  /** Milliseconds since 1970. */
  readonly until: number
}

const NAME = 'fairlead-visit'

/** With `__Host-` a browser takes it from this very host over TLS only; without TLS it would not take it at all. */
export function cookieNameOf(scheme: string): string {
  return scheme === 'https' ? `__Host-${NAME}` : NAME
}

/** The value of a visitor's cookie, signed: nothing about visits is kept. */
export function writeVisit(visit: Visit, key: string): string {
  const text = Buffer.from(JSON.stringify([visit.visitor, visit.until])).toString('base64url')
  return `${text}.${signatureOf(text, key).toString('base64url')}`
}

/** The visit that a Cookie header tells of, when it was signed with the key and has not ended. */
export function readVisit(
  cookies: string,
  { scheme, key, now }: { readonly scheme: string; readonly key: string; readonly now: number },
): Visit | undefined {
  const wanted = `${cookieNameOf(scheme)}=`
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
  const [visitor, until] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [string, number]
  return { visitor, until }
}

function signatureOf(text: string, key: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
