/** An age key of a repository. Files are encrypted for the recipient of the newest one; all of them open. */
export interface RepositoryKeyTable {
  id: string
  repository_id: string
  recipient: string
  identity_sealed: string
  created_at: number
}

/** What an app took from encrypted files at some commit; releases name the row. */
export interface FileSecretTable {
  id: string
  app_id: string
  /** sha256 of the files as they are in Git. */
  digest: string
  values_sealed: string
  created_at: number
}
