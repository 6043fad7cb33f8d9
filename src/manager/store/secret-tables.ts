export interface SecretTable {
  app_id: string
  name: string
  value_sealed: string
  revision: number
  updated_at: number
}

/** Every value that a release may need again; `secrets` has the newest. */
export interface SecretRevisionTable {
  app_id: string
  name: string
  revision: number
  value_sealed: string
  created_at: number
}
