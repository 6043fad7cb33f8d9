import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import type { HttpAnswer } from '#lib/http-request.ts'
import type { Logger } from '#lib/logger.ts'
import type { HttpClient } from '#manager/http.ts'
import { ISSUER_KEYS_UNKNOWN } from './errors.ts'
import { type CiTrust, refuseUnsafe } from './trusts.ts'

/** The public keys of issuers, as their metadata says where they are (OpenID Connect Discovery). */
export interface IssuerKeys {
  /** Finds the key that a token names; throws ISSUER_KEYS_UNKNOWN when the issuer cannot be asked. */
  of(source: Pick<CiTrust, 'issuer' | 'ca' | 'keys'>): JWTVerifyGetKey
}

interface Options {
  readonly http: HttpClient
  readonly clock: Clock
  readonly logger: Logger
}

/** So long keys are used without asking. */
const FRESH_MS = 10 * 60_000
/** So long those of an issuer that cannot be asked any more go on. */
const KEPT_MS = 24 * 3_600_000
/** A key that is not known may be a new one, or anybody's invention: so often at most an issuer is asked for it. */
const AGAIN_MS = 30_000
const LONGEST_BACKOFF_MS = 10 * 60_000
const TIMEOUT_MS = 5_000
const MOST_BYTES = 256 * 1024
const MOST_KEYS = 100
/** A shared secret is no public key. */
const PUBLIC = ['RSA', 'EC', 'OKP']

interface Entry {
  find: JWTVerifyGetKey | undefined
  readAt: number
  askedAt: number
  notBefore: number
  failures: number
  problem: FairleadError | undefined
  asking: Promise<void> | undefined
}

export function createIssuerKeys({ http, clock, logger }: Options): IssuerKeys {
  const entries = new Map<string, Entry>()

  function entryOf({ issuer, ca = '' }: Pick<CiTrust, 'issuer' | 'ca'>): Entry {
    const key = `${issuer}\n${ca}`
    let entry = entries.get(key)
    if (!entry) {
      const never = Number.NEGATIVE_INFINITY
      entry = {
        find: undefined,
        readAt: never,
        askedAt: never,
        notBefore: never,
        failures: 0,
        problem: undefined,
        asking: undefined,
      }
      entries.set(key, entry)
    }
    return entry
  }

  /** Asks once for all that wait; not before the issuer said so or the last failure is long enough ago. */
  async function refresh(entry: Entry, source: Pick<CiTrust, 'issuer' | 'ca'>): Promise<void> {
    if (!entry.asking && clock.monotonic() < entry.notBefore) {
      return
    }
    entry.asking ??= ask(entry, source).finally(() => {
      entry.asking = undefined
    })
    await entry.asking
  }

  async function ask(entry: Entry, { issuer, ca }: Pick<CiTrust, 'issuer' | 'ca'>): Promise<void> {
    entry.askedAt = clock.monotonic()
    try {
      entry.find = createLocalJWKSet(await readKeys(http, issuer, ca))
      entry.readAt = clock.monotonic()
      entry.failures = 0
      entry.problem = undefined
    } catch (error) {
      entry.failures += 1
      entry.problem = asFairleadError(error)
      const backoff = Math.min(AGAIN_MS * 2 ** (entry.failures - 1), LONGEST_BACKOFF_MS)
      entry.notBefore = clock.monotonic() + Math.max(backoff, retryAfterMs(entry.problem))
      logger.warn('ci.issuer-not-read', { issuer, failures: entry.failures, message: entry.problem.message })
    }
  }

  async function present(entry: Entry, source: Pick<CiTrust, 'issuer' | 'ca'>): Promise<JWTVerifyGetKey> {
    if (clock.monotonic() - entry.readAt > FRESH_MS) {
      await refresh(entry, source)
    }
    if (!entry.find || clock.monotonic() - entry.readAt > KEPT_MS) {
      throw entry.problem ?? ISSUER_KEYS_UNKNOWN(source.issuer, 'it was not asked yet.')
    }
    return entry.find
  }

  return {
    of(source) {
      if (source.keys) {
        return createLocalJWKSet({ keys: publicKeys(source.keys.keys) })
      }
      const entry = entryOf(source)
      return async (header, token) => {
        const find = await present(entry, source)
        try {
          return await find(header, token)
        } catch (error) {
          if (!(error instanceof errors.JWKSNoMatchingKey) || clock.monotonic() - entry.askedAt < AGAIN_MS) {
            throw error
          }
        }
        await refresh(entry, source)
        return await (await present(entry, source))(header, token)
      }
    },
  }
}

async function readKeys(http: HttpClient, issuer: string, ca: string | undefined): Promise<JSONWebKeySet> {
  const metadata = await getJson(http, {
    issuer,
    ca,
    url: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
  })
  if (metadata.issuer !== issuer) {
    throw ISSUER_KEYS_UNKNOWN(issuer, 'its metadata is that of another issuer.')
  }
  if (typeof metadata.jwks_uri !== 'string') {
    throw ISSUER_KEYS_UNKNOWN(issuer, 'its metadata names no "jwks_uri".')
  }
  refuseUnsafe(metadata.jwks_uri)
  const set = await getJson(http, { issuer, ca, url: metadata.jwks_uri })
  const keys = publicKeys(Array.isArray(set.keys) ? set.keys : [])
  if (keys.length === 0 || keys.length > MOST_KEYS) {
    throw ISSUER_KEYS_UNKNOWN(issuer, `it gives ${keys.length} public keys (1 to ${MOST_KEYS} are taken).`)
  }
  return { keys }
}

interface Wanted {
  readonly issuer: string
  readonly url: string
  readonly ca: string | undefined
}

async function getJson(http: HttpClient, { issuer, url, ca }: Wanted): Promise<Record<string, unknown>> {
  let answer: HttpAnswer
  try {
    const request = { method: 'GET', url, headers: { accept: 'application/json' } } as const
    answer = await http.send(request, {
      timeoutMs: TIMEOUT_MS,
      mostBytes: MOST_BYTES,
      ...(ca === undefined ? {} : { ca }),
    })
  } catch (error) {
    throw ISSUER_KEYS_UNKNOWN(issuer, asFairleadError(error).message).with({ cause: error })
  }
  if (answer.status !== 200) {
    const after = Number(/^\d{1,6}$/.exec(answer.headers['retry-after'] ?? '')?.[0] ?? 0)
    throw ISSUER_KEYS_UNKNOWN(issuer, `it answers ${answer.status}.`).with({
      facts: { retryAfterSeconds: after },
    })
  }
  try {
    const value: unknown = JSON.parse(answer.body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    throw ISSUER_KEYS_UNKNOWN(issuer, 'its answer is no JSON.')
  }
}

function retryAfterMs({ facts }: FairleadError): number {
  const seconds = facts?.retryAfterSeconds
  return typeof seconds === 'number' ? Math.min(seconds * 1_000, KEPT_MS) : 0
}

function publicKeys(keys: readonly unknown[]): JSONWebKeySet['keys'] {
  return keys.filter(key =>
    PUBLIC.includes(String((key as { kty?: unknown } | null)?.kty)),
  ) as JSONWebKeySet['keys']
}
