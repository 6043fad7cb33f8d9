import type { FileSecretTable, RepositoryKeyTable } from './encrypted-file-tables.ts'

/** Of secrets that are not an app's own. */
export interface SharedSecretTables {
  shared_secrets: SharedSecretTable
  repository_keys: RepositoryKeyTable
  file_secrets: FileSecretTable
}

/**
 * A value that all apps of a repository or of a host may use: exactly one of them is named. Each value is a row, and
 * releases name the row; `is_present` marks the newest one of a name.
 */
export interface SharedSecretTable {
  id: string
  repository_id: string | null
  host: string | null
  name: string
  revision: number
  value_sealed: string
  is_present: number
  created_at: number
}
