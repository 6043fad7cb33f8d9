import type { Generated } from 'kysely'

/** Conventions as in tables.ts. */
export interface JoinTokenTable {
  id: string
  /** It makes and checks proofs, so it is needed as it is. */
  secret_sealed: string
  role: 'worker' | 'guardian'
  /** The only name that a host may enrol under; null: any. */
  name: string | null
  /** JSON: addresses and networks from which it may be used; empty: all. */
  networks: string
  created_by: string
  created_at: number
  expires_at: number
  /** Wrong proofs. */
  failures: Generated<number>
  revoked_at: number | null
  used_at: number | null
  /** Name of the host. */
  used_by: string | null
  /** sha256 of the statement of the host, hex: the same one, sent again, gets the same answer. */
  used_for: string | null
}

/** Keys of hosts that are never accepted again. */
export interface RevokedKeyTable {
  key_id: string
  name: string
  revoked_at: number
}
