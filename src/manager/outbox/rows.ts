import { type Kysely, type Selectable, sql } from 'kysely'
import type { OutboxTable } from '#manager/store/outbox-tables.ts'
import type { Tables } from '#manager/store/tables.ts'

export type OutboxRow = Selectable<OutboxTable>

/** The oldest of each subject that may be sent now, but for busy places. */
export async function readDue(
  db: Kysely<Tables>,
  now: number,
  { except, limit }: { readonly except: readonly string[]; readonly limit: number },
): Promise<OutboxRow[]> {
  return await heads(db, except).where('next_at', '<=', now).orderBy('seq').limit(limit).execute()
}

/** When the next one may be sent; undefined when nothing waits. */
export async function nextAt(db: Kysely<Tables>, except: readonly string[]): Promise<number | undefined> {
  const row = await heads(db, except).orderBy('next_at').limit(1).executeTakeFirst()
  return row?.next_at
}

/** The id that an earlier report about the deployment got from the Git host. */
export async function remoteOf(
  db: Kysely<Tables>,
  { place, subject }: OutboxRow,
  deployment: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('outbox')
    .select('remote')
    .where('place', '=', place)
    .where('subject', '=', subject)
    .where('remote', 'is not', null)
    .where(sql<string>`json_extract(payload, '$.deployment')`, '=', deployment)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.remote ?? undefined
}

function heads(db: Kysely<Tables>, except: readonly string[]) {
  const open = db
    .selectFrom('outbox')
    .selectAll()
    .where('ended_at', 'is', null)
    .where(eb =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('outbox as earlier')
            .select('earlier.seq')
            .whereRef('earlier.place', '=', 'outbox.place')
            .whereRef('earlier.subject', '=', 'outbox.subject')
            .where('earlier.ended_at', 'is', null)
            .whereRef('earlier.seq', '<', 'outbox.seq'),
        ),
      ),
    )
  return except.length === 0 ? open : open.where('place', 'not in', except)
}
