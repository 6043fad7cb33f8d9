import { decodeJwt, type JWTPayload } from 'jose'
import type { Kysely } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { createToken } from '#manager/people/tokens.ts'
import type { Tables } from '#manager/store/tables.ts'
import { claimsFit, shownClaims } from './claims.ts'
import { ID_TOKEN_INVALID, JOB_NOT_TRUSTED } from './errors.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { type CiTrust, trustsInIssuer } from './trusts.ts'
import { verifyIdToken } from './verify-id-token.ts'

export interface ExchangeContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly logger: Logger
  readonly keys: IssuerKeys
}

export interface JobToken {
  readonly token: string
  readonly expiresInSeconds: number
  readonly apps: readonly string[]
}

/** Long enough for most deployments; a job that waits longer takes another one. */
const VALID_SECONDS = 3_600

/**
 * Gives a job of a CI system a token of the manager for what the trusts allow that fit its ID token. The ID token is
 * good for nothing else here: it may be exchanged again until it ends, and then no more.
 */
export async function exchangeToken(context: ExchangeContext, idToken: string): Promise<JobToken> {
  const { db, clock, logger } = context
  const { claims, trusts } = await trustsOf(context, idToken)
  const [first] = trusts
  if (!first) {
    logger.warn('ci.job-not-trusted', { issuer: claims.iss, claims: shownClaims(claims) })
    throw JOB_NOT_TRUSTED(shownClaims(claims))
  }
  const now = clock.now()
  const ids = trusts.map(({ id }) => id)
  const { id, token } = await createToken(context, {
    name: `ci ${first.name}: ${shownSubject(claims)}`,
    expiresAt: now + VALID_SECONDS * 1_000,
    trusts: ids,
    ...{ personId: null, projectId: null, role: null, scopes: null },
  })
  await db.updateTable('ci_trusts').set({ last_used_at: now }).where('id', 'in', ids).execute()
  const names = trusts.map(({ name }) => name).join(',')
  logger.info('ci.token-given', { token: id, trusts: names, issuer: claims.iss, claims: shownClaims(claims) })
  const apps = [...new Set(trusts.flatMap(trust => trust.apps))].sort()
  return { token, expiresInSeconds: VALID_SECONDS, apps }
}

/** Verifies the token as each trust in its issuer asks it; rejects when none can verify it. */
async function trustsOf(
  { db, clock, keys }: ExchangeContext,
  idToken: string,
): Promise<{ claims: JWTPayload; trusts: CiTrust[] }> {
  const issuer = issuerOf(idToken)
  const candidates = await trustsInIssuer(db, issuer)
  let verified: JWTPayload | undefined
  let problem: FairleadError = ID_TOKEN_INVALID('no trust names its issuer')
  const trusts: CiTrust[] = []
  for (const trust of candidates) {
    const { audience } = trust
    try {
      verified = await verifyIdToken(idToken, { issuer, audience, keys: keys.of(trust), now: clock.now() })
      if (claimsFit(trust.claims, verified)) {
        trusts.push(trust)
      }
    } catch (error) {
      problem = error as FairleadError
    }
  }
  if (!verified) {
    throw problem
  }
  return { claims: verified, trusts }
}

/** What nobody has verified yet: only good for choosing who is asked. */
function issuerOf(idToken: string): string {
  try {
    const { iss } = decodeJwt(idToken)
    return typeof iss === 'string' ? iss : ''
  } catch {
    throw ID_TOKEN_INVALID('it is no JSON Web Token')
  }
}

function shownSubject({ sub = '' }: JWTPayload): string {
  return sub.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)
}
