import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { FairleadError } from '#lib/errors.ts'
import { ID_TOKEN_INVALID } from './errors.ts'

/** Only signatures of a private key: neither `none` nor a secret that the manager would have to share. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const SKEW_SECONDS = 60
/** Jobs that run for days take a fresh token. */
const OLDEST_SECONDS = 24 * 3_600

interface Expected {
  readonly issuer: string
  readonly audience: string
  readonly keys: JWTVerifyGetKey
  readonly now: number
}

/** The claims of a token that this issuer signed for this audience and that is valid now, or ID_TOKEN_INVALID. */
export async function verifyIdToken(
  token: string,
  { issuer, audience, keys, now }: Expected,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ALGORITHMS,
      issuer,
      audience,
      clockTolerance: SKEW_SECONDS,
      maxTokenAge: OLDEST_SECONDS,
      currentDate: new Date(now),
      requiredClaims: ['sub', 'exp', 'iat'],
    })
    return payload
  } catch (error) {
    if (error instanceof FairleadError) {
      throw error
    }
    throw ID_TOKEN_INVALID(reasonOf(error)).with({ cause: error })
  }
}

/** In our words: what the library says may quote the token. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) {
    return error.claim === 'iat' ? 'it is older than a day' : 'it has expired'
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return CLAIM_REASONS[error.claim] ?? 'a claim is missing or wrong'
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return `its algorithm is none of ${ALGORITHMS.join(', ')}`
  }
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return 'it names no key of its issuer'
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return 'its signature is wrong'
  }
  return 'it cannot be read'
}

const CLAIM_REASONS: Readonly<Record<string, string>> = {
  aud: 'it was made for another audience',
  iss: 'it is from another issuer',
  nbf: 'it is not valid yet',
  iat: 'it says no time, or one to come, at which it was made',
  exp: 'it has no end',
  sub: 'it names no subject',
}
