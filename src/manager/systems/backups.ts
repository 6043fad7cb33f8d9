import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import type { Kysely, Selectable } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { SystemBackupTable } from '#manager/store/system-tables.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { backupPlace } from './backup-place.ts'
import { BACKUP_NOT_FOUND, TOO_MANY_BACKUPS } from './errors.ts'
import { readSystem } from './queries.ts'

type Db = Kysely<Tables>
export type BackupRow = Selectable<SystemBackupTable>

/** Of one owner, whatever became of their systems. */
const MOST = 100

interface BackupsContext {
  readonly db: Db
  readonly clock: Clock
  readonly sealer: Sealer
}

interface Wish {
  readonly system: string
  readonly by: string
  readonly isScheduled: boolean
}

/** Writes down that a system is to be backed up as it is now; the keeper sees to it. Each backup has a key of its own. */
export async function requestBackup({ db, clock, sealer }: BackupsContext, wish: Wish): Promise<BackupRow> {
  const identity = await generateX25519Identity()
  const recipient = await identityToRecipient(identity)
  return await inTransaction(db, async inside => {
    const { app, owner, settings } = await readSystem(inside, wish.system)
    await refuseTooMany(inside, owner)
    if (wish.isScheduled) {
      // With the request: killed at any moment, it is made once or still to be made.
      const at = { backup_at: clock.now() }
      await inside.updateTable('systems').set(at).where('app_id', '=', app.id).execute()
    }
    const id = newId()
    const { image, memory_bytes, cpus, processes, disk_bytes } = settings
    return await inside
      .insertInto('system_backups')
      .values({
        ...{ id, app_id: app.id, system: app.name, owner: owner.id, host: app.host, recipient },
        settings: JSON.stringify({ image, memory_bytes, cpus, processes, disk_bytes }),
        ...{ state: 'making', is_scheduled: wish.isScheduled ? 1 : 0, attempts: 0, asked_by: wish.by },
        identity_sealed: sealer.seal(identity, backupPlace(id)),
        created_at: clock.now(),
      })
      .returningAll()
      .executeTakeFirstOrThrow()
  })
}

export async function refuseTooMany(
  db: Db,
  { id, name }: { readonly id: string; readonly name: string },
): Promise<void> {
  const { count } = await db
    .selectFrom('system_backups')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('owner', '=', id)
    .executeTakeFirstOrThrow()
  if (Number(count) >= MOST) {
    throw TOO_MANY_BACKUPS(name, MOST)
  }
}

/** Newest first; of one owner, or all. */
export async function listBackups(db: Db, owner: string | undefined): Promise<BackupRow[]> {
  const query = db.selectFrom('system_backups').selectAll().orderBy('id', 'desc')
  return await (owner === undefined ? query : query.where('owner', '=', owner)).execute()
}

/** Those that are to be made or deleted, the oldest first. */
export async function listOpenBackups(db: Db): Promise<BackupRow[]> {
  return await db
    .selectFrom('system_backups')
    .selectAll()
    .where('state', 'in', ['making', 'going'])
    .orderBy('id')
    .execute()
}

/** BACKUP_NOT_FOUND, also when it is another owner's than this. */
export async function readBackup(db: Db, id: string, owner: string | undefined): Promise<BackupRow> {
  const row = await db.selectFrom('system_backups').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row || (owner !== undefined && row.owner !== owner)) {
    throw BACKUP_NOT_FOUND(id)
  }
  return row
}

/** Its file is deleted as soon as its host can be reached; one that is being made is ended. */
export async function forgetBackup(db: Db, id: string): Promise<void> {
  await db.updateTable('system_backups').set({ state: 'going' }).where('id', '=', id).execute()
}
