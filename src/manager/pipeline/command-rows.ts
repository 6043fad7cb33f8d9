import type { Kysely } from 'kysely'
import { compiledOnce } from '#manager/store/compiled-once.ts'
import { SOON } from '#manager/store/soon.ts'
import type { Tables } from '#manager/store/tables.ts'

/** The newest command of a step under a key. */
export const lastTold = compiledOnce(
  (db, { deployment, step, key }: { deployment: string; step: string; key: string }) =>
    db
      .selectFrom('commands')
      .select(['id', 'state', 'result'])
      .where('deployment_id', '=', deployment)
      .where('step', '=', step)
      .where('key', '=', key)
      .orderBy('id', 'desc')
      .limit(1),
)

interface NewCommand extends Record<string, unknown> {
  readonly id: string
  readonly deployment: string
  readonly step: string
  readonly key: string
  readonly command: string
  readonly host: string
  readonly now: number
}

/** Resolves when the row is on the disk, and with it everything written so far. */
export const insertNow = compiledOnce(insertCommand)
export const insertSoon = compiledOnce((db, row: NewCommand) => insertCommand(db, row).modifyEnd(SOON))

function insertCommand(db: Kysely<Tables>, row: NewCommand) {
  return db.insertInto('commands').values({
    id: row.id,
    deployment_id: row.deployment,
    step: row.step,
    key: row.key,
    command: row.command,
    host: row.host,
    state: 'told',
    created_at: row.now,
    seq: 0,
  })
}

interface EndedCommand extends Record<string, unknown> {
  readonly id: string
  readonly state: 'succeeded' | 'failed'
  readonly result: string | null
  readonly now: number
}

export const endCommand = compiledOnce((db, { id, state, result, now }: EndedCommand) =>
  db.updateTable('commands').set({ state, result, finished_at: now }).where('id', '=', id).modifyEnd(SOON),
)

/** What a step was told so far counts no more: all of it is told again. */
export const voidAnswers = compiledOnce(
  (db, { deployment, step, now }: { deployment: string; step: string; now: number }) =>
    db
      .updateTable('commands')
      .set({ state: 'failed', result: null, finished_at: now })
      .where('deployment_id', '=', deployment)
      .where('step', '=', step)
      .modifyEnd(SOON),
)
