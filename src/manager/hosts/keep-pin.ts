import type { Kysely } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import type { Pin } from '#link/public-identity.ts'
import type { PinChange } from '#manager/agents/agent-pins.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'

/** Keeps what is pinned of a host. A key that was replaced is never accepted again, not by enrolment either. */
export async function keepPin(
  { db, clock }: { readonly db: Kysely<Tables>; readonly clock: Clock },
  { host, pin, successor, replaced }: PinChange & { readonly host: string; readonly pin: Pin },
): Promise<void> {
  await inTransaction(db, async inside => {
    const row = await inside
      .selectFrom('hosts')
      .select('identity')
      .where('name', '=', host)
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    const { keyId } = JSON.parse(row?.identity ?? '{}') as Partial<Pin>
    // Under this name there may be another machine by now, in the place of one that was shut out.
    if (keyId === pin.keyId || (keyId !== undefined && keyId === replaced)) {
      await inside
        .updateTable('hosts')
        .set({ identity: JSON.stringify(pin), successor: successor ? JSON.stringify(successor) : null })
        .where('name', '=', host)
        .execute()
    }
    if (replaced !== undefined) {
      await inside
        .insertInto('revoked_keys')
        .values({ key_id: replaced, name: host, revoked_at: clock.now() })
        .onConflict(same => same.doNothing())
        .execute()
    }
  })
}
