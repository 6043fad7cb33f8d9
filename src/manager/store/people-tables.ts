import type { Generated } from 'kysely'
import type { RoleName } from '#contract/rest/people.ts'

/** Conventions as in tables.ts. */
export interface PersonTable {
  id: string
  name: string
  /** In small letters. */
  email: string
  /** As people/passwords.ts writes it; null: they cannot sign in with one. */
  password: string | null
  /** What they may do everywhere; null: only what projects give. */
  role: RoleName | null
  /** Secret of the second factor; `totp_at` null: not confirmed yet. */
  totp_sealed: string | null
  totp_at: number | null
  /** The last time step whose code was used: each opens once. */
  totp_step: number | null
  /** JSON: sha256 of the recovery codes that are left. */
  recovery: string | null
  /** sha256 of the code with which they choose a password, and until when. */
  invitation_hash: string | null
  invitation_until: number | null
  disabled_at: number | null
  /** So many apps they may own; null: any number. */
  most_apps: number | null
  created_at: number
}

export interface SessionTable {
  id: string
  /** sha256 of what the cookie holds, hex. */
  hash: string
  person_id: string
  /** 1: the password was right and the second factor is missing. */
  awaits_factor: Generated<number>
  created_at: number
  used_at: number
  ends_at: number
  address: string
  program: string
}
