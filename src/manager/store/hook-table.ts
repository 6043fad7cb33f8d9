export interface HookTable {
  /** 128 random bits in the URL: a locator, not a secret. */
  id: string
  repository_id: string
  /** Name of the git host file that verifies it. */
  git_host: string
  secret_sealed: string
  previous_sealed: string | null
  previous_until: number | null
  /** Id of the remote repository that deliveries must carry; learnt from the first one if null. */
  remote_id: string | null
  last_delivery_at: number | null
  /** Of the last delivery that was not signed as it must be, to the minute. */
  last_refused_at: number | null
  last_refused_reason: RefusalReason | null
  /** Which secret vouched for the last delivery. */
  verified_with: 'current' | 'previous' | null
  created_at: number
}

export type RefusalReason = 'no-signature' | 'wrong-signature' | 'stale-timestamp' | 'no-secret'
