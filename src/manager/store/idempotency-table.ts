import type { Generated } from 'kysely'

/** Answers that are given again to who asks the same again. */
export interface IdempotencyTable {
  token_id: string
  key: string
  /** Fingerprint of method, address and body. */
  request_sealed: string
  status: Generated<number>
  response: string | null
  created_at: number
  /** Which start of which manager took the request up: what another one left without an answer is run again. */
  run: Generated<string>
}
