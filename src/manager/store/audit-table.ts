/** Lines of the audit log (lib/audit-chain.ts); conventions as in tables.ts. */
export interface AuditTable {
  seq: number
  at: number
  request: string
  who: string
  address: string
  action: string
  target: string
  plan_hash: string | null
  details: string | null
  result: 'asked' | 'done' | 'refused' | 'failed'
  status: number | null
  hash: string
}
