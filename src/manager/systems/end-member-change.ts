import type { AuditLine } from '#manager/audit/audit.ts'
import type { MemberChangeRow } from './member-changes.ts'
import type { MemberKeeperOptions } from './member-keeper.ts'

interface End {
  readonly state: 'done' | 'failed' | 'cancelled'
  readonly reason: string | null
}

/** Writes down how a change of a member ended, in the audit log too: whoever asked for it has only heard that it began. */
export async function endMemberChange(
  { db, clock, logger, audit }: MemberKeeperOptions,
  row: MemberChangeRow,
  { state, reason }: End,
): Promise<void> {
  const { host, member, action } = row
  logger.info('member.ended', { host, member, action, state })
  if (row.audit !== null) {
    // Before the row: after a kill in between there is one line more, and never one less.
    const line = JSON.parse(row.audit) as Omit<AuditLine, 'details' | 'result' | 'status'>
    const details = JSON.stringify({ host, member, action, state, reason, cancelled_by: row.cancelled_by })
    await audit.add({ ...line, details, result: state === 'done' ? 'done' : 'failed', status: null })
  }
  await db
    .updateTable('member_changes')
    .set({ state, command: null, reason, ended_at: clock.now() })
    .where('id', '=', row.id)
    .execute()
}
