/** What a running deployment found out up to its plan; no row: it has no plan yet, or has ended. */
export interface KeptFactsTable {
  deployment_id: string
  /** Sealed JSON. */
  facts_sealed: string
}
