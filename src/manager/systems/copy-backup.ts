import type { Kysely } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { hostFor } from '#manager/apps/host-for.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { backupPlace } from './backup-place.ts'
import { type BackupRow, refuseTooMany } from './backups.ts'
import { BACKUP_NOT_USABLE } from './errors.ts'
import { ownerNames } from './owners.ts'

interface CopyContext {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly sealer: Sealer
}

interface Wish {
  readonly host: string
  readonly by: string
}

/**
 * Writes down that the file of a backup is wanted on another host, too; the keeper carries it there. One that is there, or
 * on its way, is given. HOST_UNKNOWN, BACKUP_NOT_USABLE, TOO_MANY_BACKUPS.
 */
export async function requestCopy(
  { db, clock, sealer }: CopyContext,
  of: BackupRow,
  { host, by }: Wish,
): Promise<BackupRow> {
  if (of.state !== 'kept') {
    throw BACKUP_NOT_USABLE(of.id, `it is ${of.state}`)
  }
  return await inTransaction(db, async inside => {
    const to = await hostFor(inside, host)
    const there = await inside
      .selectFrom('system_backups')
      .selectAll()
      .where('host', '=', to)
      .where(eb => eb.or([eb('sha256', '=', of.sha256), eb('copy_of', '=', of.id)]))
      .where('owner', '=', of.owner)
      .where('state', 'in', ['making', 'kept'])
      .executeTakeFirst()
    if (there) {
      return there
    }
    const names = await ownerNames(inside, [of.owner])
    await refuseTooMany(inside, { id: of.owner, name: names.get(of.owner)?.name ?? '' })
    const id = newId()
    const { app_id, system, owner, settings, recipient } = of
    return await inside
      .insertInto('system_backups')
      .values({
        ...{ id, app_id, system, owner, settings, recipient, host: to, copy_of: of.id, asked_by: by },
        ...{ state: 'making', is_scheduled: 0, attempts: 0, created_at: clock.now() },
        identity_sealed: sealer.seal(sealer.open(of.identity_sealed, backupPlace(of.id)), backupPlace(id)),
      })
      .returningAll()
      .executeTakeFirstOrThrow()
  })
}
