/** Who says elsewhere who somebody is (OpenID Connect); conventions as in tables.ts. */
export interface ProviderTable {
  id: string
  name: string
  issuer: string
  client_id: string
  /** null: the provider knows this client without one. */
  secret_sealed: string | null
  /** JSON of what is taken from what it says. */
  settings: string
  created_at: number
}

/** Whose account at a provider is whose here. */
export interface ProviderAccountTable {
  issuer: string
  subject: string
  person_id: string
  created_at: number
}
