import type { Kysely, Selectable } from 'kysely'
import type { SeenCluster } from '#contract/cluster.ts'
import type { Clock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import type { MemberChangeTable } from '#manager/store/system-tables.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { MEMBER_BUSY, MEMBER_NOT_CHANGED, MEMBER_NOT_FOUND } from './errors.ts'

export type MemberChangeRow = Selectable<MemberChangeTable>

interface Wish {
  readonly host: string
  readonly member: string
  readonly action: 'evacuate' | 'restore'
  readonly by: string
  /** The line of the audit log that asks for it, as JSON: its end gets another one of the same request. */
  readonly audit: string
}

/** Writes down what is to be done with a member; the keeper sees to it, one at a time on a host. */
export async function requestMemberChange(
  { db, clock }: { readonly db: Kysely<Tables>; readonly clock: Clock },
  { host, member, action, by, audit }: Wish,
): Promise<MemberChangeRow> {
  return await inTransaction(db, async inside => {
    const row = await inside.selectFrom('hosts').select('cluster').where('name', '=', host).executeTakeFirst()
    const { members } = JSON.parse(row?.cluster ?? '{"members":[]}') as Pick<SeenCluster, 'members'>
    if (!members.some(({ name }) => name === member)) {
      throw MEMBER_NOT_FOUND(member, host)
    }
    const open = await inside
      .selectFrom('member_changes')
      .selectAll()
      .where('host', '=', host)
      .where('state', '=', 'under-way')
      .executeTakeFirst()
    if (open) {
      throw MEMBER_BUSY(open.member, host)
    }
    // That an earlier one was asked for, and how it ended, is in the audit log.
    await inside.deleteFrom('member_changes').where('host', '=', host).where('member', '=', member).execute()
    return await inside
      .insertInto('member_changes')
      .values({
        ...{ id: newId(), host, member, action, state: 'under-way', attempts: 0, asked_by: by },
        ...{ audit, created_at: clock.now() },
      })
      .returningAll()
      .executeTakeFirstOrThrow()
  })
}

/** Writes down that what is under way with a member is not wanted any more; the keeper ends it. MEMBER_NOT_CHANGED. */
export async function cancelMemberChange(
  db: Kysely<Tables>,
  { host, member, by }: Pick<Wish, 'host' | 'member' | 'by'>,
): Promise<MemberChangeRow> {
  return await inTransaction(db, async inside => {
    const open = await inside
      .selectFrom('member_changes')
      .selectAll()
      .where('host', '=', host)
      .where('member', '=', member)
      .where('state', '=', 'under-way')
      .executeTakeFirst()
    if (!open) {
      throw MEMBER_NOT_CHANGED(member, host)
    }
    const cancelled_by = open.cancelled_by ?? by
    await inside.updateTable('member_changes').set({ cancelled_by }).where('id', '=', open.id).execute()
    return { ...open, cancelled_by }
  })
}
