import { createHash } from 'node:crypto'

/** One line of the audit log. Texts and numbers only: it is hashed as it is shown. */
export interface AuditEntry {
  /** From 1, without gaps. */
  readonly seq: number
  /** RFC 3339. */
  readonly at: string
  /** The request that it belongs to: what was asked and how that ended have the same. */
  readonly request: string
  readonly who: string
  readonly address: string
  readonly action: string
  readonly target: string
  readonly plan_hash: string | null
  /** JSON of what was asked for, without any secret, and of the id of what was made; null: nothing is to be told. */
  readonly details: string | null
  readonly result: 'asked' | 'done' | 'refused' | 'failed'
  readonly status: number | null
  /** Of this line and all before it. */
  readonly hash: string
}

export interface AuditHead {
  readonly seq: number
  readonly hash: string
}

/** Before the first line. */
export const AUDIT_START: AuditHead = { seq: 0, hash: '0'.repeat(64) }

export function auditHash(previous: string, entry: Omit<AuditEntry, 'hash'>): string {
  const { seq, at, request, who, address, action, target, plan_hash, result, status, details } = entry
  const fields = [previous, seq, at, request, who, address, action, target, plan_hash, result, status]
  // Lines from before there were details are hashed as they were.
  const all = details === null ? fields : [...fields, details]
  return createHash('sha256').update(JSON.stringify(all)).digest('hex')
}

/** Takes the lines in their order and says what is wrong with the first that does not fit; then nothing more is taken. */
export interface AuditCheck {
  take(entry: AuditEntry): void
  /** What was written down elsewhere has to be in there. */
  finish(): { readonly head: AuditHead; readonly problem: string | null }
}

export function createAuditCheck(known: readonly AuditHead[]): AuditCheck {
  let head = AUDIT_START
  let problem: string | null = null
  return {
    take(entry) {
      if (problem !== null) {
        return
      }
      if (entry.seq !== head.seq + 1) {
        problem = `after line ${head.seq} comes ${entry.seq}: lines in between were removed`
      } else if (entry.hash !== auditHash(head.hash, entry)) {
        problem = `line ${entry.seq} is not what was written, or a line before it was exchanged`
      } else if (known.some(({ seq, hash }) => seq === entry.seq && hash !== entry.hash)) {
        problem = `line ${entry.seq} is another one than was written down elsewhere: the log was written anew`
      } else {
        head = { seq: entry.seq, hash: entry.hash }
      }
    },
    finish() {
      const missing = known.find(({ seq }) => seq > head.seq)
      problem ??= missing ? `lines after ${head.seq} were removed: there were ${missing.seq}` : null
      return { head, problem }
    },
  }
}
