import type { RoleName } from '#contract/rest/people.ts'

/** Conventions as in tables.ts. */
export interface TokenTable {
  id: string
  name: string
  /** sha256 of the token, hex. */
  hash: string
  created_at: number
  last_used_at: number | null
  /** null: it does not end. */
  expires_at: number | null
  /** JSON: ids of the trusts (ci_trusts) that it may do what they allow for; null: it is no job's. */
  trusts: string | null
  /** Whose it is; null: a machine's. */
  person_id: string | null
  /** Where the role of a machine holds; null: everywhere. */
  project_id: string | null
  /** Of a machine. */
  role: RoleName | null
  /** JSON; null: all. */
  scopes: string | null
}
