/** Conventions as in tables.ts. */
export interface VisitTable {
  /** The token or the session that was shown. */
  visitor: string
  /** Name of the host. */
  host: string
  until: number
}
