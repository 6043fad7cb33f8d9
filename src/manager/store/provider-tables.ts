/** How people sign in but for their password; conventions as in tables.ts. */
export interface SignInTables {
  providers: ProviderTable
  provider_accounts: ProviderAccountTable
  passkeys: PasskeyTable
}

/** Who says elsewhere who somebody is (OpenID Connect). */
interface ProviderTable {
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
interface ProviderAccountTable {
  issuer: string
  subject: string
  person_id: string
  created_at: number
}

/** Keys of devices that people sign in with. */
interface PasskeyTable {
  /** Of the credential, in base64url. */
  id: string
  person_id: string
  name: string
  /** COSE, in base64url. */
  public_key: string
  /** How often it was used, as devices count that do; 0 of one that does not. */
  counter: number
  /** JSON: how the browser reached it. */
  transports: string
  created_at: number
  used_at: number | null
}
