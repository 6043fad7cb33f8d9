/** Keys of devices that people sign in with; conventions as in tables.ts. */
export interface PasskeyTable {
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
