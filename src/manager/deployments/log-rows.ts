import type { Kysely } from 'kysely'
import { SOON } from '#manager/store/soon.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { LogPlace } from './log-place.ts'

const AT_ONCE = 500

export async function hasLogRows(db: Kysely<Tables>): Promise<boolean> {
  return (await db.selectFrom('log_pieces').select('segment').limit(1).executeTakeFirst()) !== undefined
}

/**
 * Logs in the database, for managers that share one: whichever leads goes on with them, and clients go on reading at
 * the line where they were. What this manager has in files, from a time when it was alone, is read there.
 */
export function logRows(db: Kysely<Tables>, files: LogPlace): LogPlace {
  const rowsOf = (id: string, segment: number) =>
    db.selectFrom('log_pieces').where('deployment_id', '=', id).where('segment', '=', segment)
  const remove = (id: string) => db.deleteFrom('log_pieces').where('deployment_id', '=', id)
  return {
    async append(id, segment, { text, before }) {
      const piece = { deployment_id: id, segment, at: before, lines: text }
      await db.insertInto('log_pieces').values(piece).modifyEnd(SOON).execute()
    },
    async read(id, segment, { offset, bytes }) {
      const piece = await rowsOf(id, segment)
        .select(['at', 'lines'])
        .where('at', '<=', offset)
        .orderBy('at', 'desc')
        .executeTakeFirst()
      if (!piece) {
        return await files.read(id, segment, { offset, bytes })
      }
      const from = offset - piece.at
      return Buffer.from(piece.lines).subarray(from, from + bytes)
    },
    async list(id) {
      const rows = await db
        .selectFrom('log_pieces')
        .select('segment')
        .distinct()
        .where('deployment_id', '=', id)
        .execute()
      const all = new Set([...rows.map(({ segment }) => segment), ...(await files.list(id))])
      return [...all].sort((a, b) => a - b)
    },
    async cut(id, segment, bytes) {
      const first = await rowsOf(id, segment).select('at').orderBy('at').executeTakeFirst()
      await remove(id).where('segment', '=', segment).where('at', '>=', bytes).execute()
      if (first === undefined || bytes < first.at) {
        await files.cut(id, segment, bytes)
      }
    },
    async remove(id, segment) {
      await remove(id).where('segment', '=', segment).execute()
      await files.remove(id, segment)
    },
    async removeAll(id) {
      await remove(id).execute()
      await files.removeAll(id)
    },
    async *ids() {
      for (let page = await idsAfter(db, ''); page.length > 0; page = await idsAfter(db, page.at(-1) ?? '')) {
        yield* page
      }
      yield* files.ids()
    },
  }
}

async function idsAfter(db: Kysely<Tables>, last: string): Promise<string[]> {
  const rows = await db
    .selectFrom('log_pieces')
    .select('deployment_id')
    .distinct()
    .where('deployment_id', '>', last)
    .orderBy('deployment_id')
    .limit(AT_ONCE)
    .execute()
  return rows.map(row => row.deployment_id)
}
