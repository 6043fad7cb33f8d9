/** Ids of signed calls that were taken: conventions as in tables.ts. */
export interface SignedCallTable {
  id: string
  received_at: number
}
