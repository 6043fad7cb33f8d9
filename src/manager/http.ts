import type { LookupAddress } from 'node:dns'
import { type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Clock } from '#lib/clock.ts'
import { FairleadError } from '#lib/errors.ts'
import type { HttpAnswer, HttpRequest } from '#lib/http-request.ts'
import { isPrivateAddress } from '#lib/private-address.ts'
import { revealed } from '#lib/secret.ts'
import { type AddressRules, checkedAddresses } from './checked-addresses.ts'
import {
  HTTP_ADDRESS_INVALID,
  HTTP_ANSWER_TOO_LARGE,
  HTTP_NOT_ENCRYPTED,
  HTTP_UNREACHABLE,
} from './errors.ts'

export interface HttpClient {
  /**
   * Gives the answer whatever its status; a redirect is an answer. Throws HTTP_… errors, and the signal's reason when
   * it is aborted.
   */
  send(request: HttpRequest, options?: SendOptions): Promise<HttpAnswer>
}

export interface SendOptions {
  /** For everything, from the name's lookup to the last byte of the answer; default 15 s. */
  readonly timeoutMs?: number
  /** Of the answer's body; default 1 MiB. */
  readonly mostBytes?: number
  /** PEM of the authority of a server of one's own. */
  readonly ca?: string
  readonly signal?: AbortSignal
}

export interface HttpClientOptions extends AddressRules {
  readonly clock: Clock
}

const TIMEOUT_MS = 15_000
const MOST_BYTES = 1024 * 1024

/**
 * Sends requests to servers that people named: Git hosts' APIs, webhooks, issuers. A name is resolved once and only
 * the addresses that were checked are connected to, so it cannot be public for the check and private for the request.
 */
export function createHttpClient({ clock, ...rules }: HttpClientOptions): HttpClient {
  return {
    async send(request, options = {}) {
      const url = parsed(request.url)
      const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
      const timeout = new AbortController()
      const timer = clock.after(timeoutMs, () =>
        timeout.abort(HTTP_UNREACHABLE(url.host, `it does not answer within ${timeoutMs / 1000} s`)),
      )
      const signal = options.signal ? AbortSignal.any([options.signal, timeout.signal]) : timeout.signal
      try {
        const addresses = await abortable(addressesOf(url, rules), signal)
        const response = await open(request, { url, addresses, signal, ca: options.ca })
        return await read(response, url, options.mostBytes ?? MOST_BYTES)
      } catch (error) {
        signal.throwIfAborted()
        throw error instanceof FairleadError ? error : HTTP_UNREACHABLE(url.host, reasonOf(error))
      } finally {
        timer.close()
      }
    },
  }
}

async function addressesOf(url: URL, rules: AddressRules): Promise<readonly LookupAddress[]> {
  const addresses = await checkedAddresses(url.hostname.replace(/^\[|\]$/g, ''), rules)
  if (url.protocol === 'http:' && !addresses.every(({ address }) => isPrivateAddress(address))) {
    throw HTTP_NOT_ENCRYPTED(url.host)
  }
  return addresses
}

function parsed(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw HTTP_ADDRESS_INVALID('it is no address that begins with https://')
  }
  if (url.username !== '' || url.password !== '') {
    throw HTTP_ADDRESS_INVALID('it holds a user name or password')
  }
  return url
}

interface Opening {
  readonly url: URL
  readonly addresses: readonly LookupAddress[]
  readonly signal: AbortSignal
  readonly ca: string | undefined
}

function open(request: HttpRequest, { url, addresses, signal, ca }: Opening): Promise<IncomingMessage> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity', 'user-agent': 'fairlead' }
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    headers[name.toLowerCase()] = revealed(value)
  }
  const start = url.protocol === 'https:' ? requestSecure : requestPlain
  return new Promise((resolve, reject) => {
    const sent = start(url, {
      method: request.method,
      headers,
      signal,
      lookup: givenAddresses(addresses),
      // A connection that was kept could be to an address that was checked for another request's name.
      agent: false,
      ...(ca === undefined ? {} : { ca }),
    })
    sent.on('response', resolve)
    sent.on('error', reject)
    sent.end(request.body)
  })
}

function givenAddresses(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, { all }, done) => {
    const [first] = addresses
    if (all) {
      done(null, [...addresses])
    } else {
      done(null, first?.address ?? '', first?.family)
    }
  }
}

async function read(response: IncomingMessage, url: URL, mostBytes: number): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > mostBytes) {
      response.destroy()
      throw HTTP_ANSWER_TOO_LARGE(url.host, mostBytes)
    }
    chunks.push(chunk)
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers)) {
    headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '')
  }
  return { status: response.statusCode ?? 0, headers, body: Buffer.concat(chunks).toString('utf8') }
}

async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    signal.throwIfAborted()
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** In words, and without what the other side said. */
function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  return REASONS[code] ?? (code.startsWith('ERR_TLS') || code.includes('CERT') ? certificate(code) : message)
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name does not exist',
  EAI_AGAIN: 'its name cannot be resolved now',
  ECONNREFUSED: 'it refuses connections',
  ECONNRESET: 'it closed the connection',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ETIMEDOUT: 'it does not answer',
  EPROTO: 'it does not speak TLS',
}

function certificate(code: string): string {
  return `its certificate is not trusted (${code})`
}
