/** Logs of deployments, where several managers share a database; else they are files. */
export interface LogPieceTable {
  deployment_id: string
  /** Number of the first line of the segment. */
  segment: number
  /** How many bytes of the segment come before. */
  at: number
  /** Whole lines. */
  lines: string
}
