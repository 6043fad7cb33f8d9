/** Which jobs of a CI system may deploy which apps. */
export interface CiTrustTable {
  id: string
  name: string
  issuer: string
  audience: string
  /** PEM of the authority of an issuer of one's own. */
  ca: string | null
  /** JSON of the issuer's public keys (JWKS) where it is not asked for them. */
  keys: string | null
  /** JSON: claim -> its value, or the beginning of it and `*`. */
  claims: string
  /** JSON: names of apps. */
  apps: string
  created_at: number
  last_used_at: number | null
}
