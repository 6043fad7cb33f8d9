import type { Kysely } from 'kysely'
import { nextTime, scheduleFrom } from '#deploy-file/schedule.ts'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { Tables } from '#manager/store/tables.ts'
import { forgetBackup, requestBackup } from './backups.ts'

export interface BackupSchedule {
  readonly cron: string
  /** So many of those that it made are kept. */
  readonly keep: number
}

interface Parts {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly logger: Logger
  readonly sealer: Sealer
}

/** Requests the backups whose time has come, once each, and lets those go that their schedule does not keep. */
export async function requestDueBackups(parts: Parts): Promise<void> {
  const { db, clock, logger } = parts
  const systems = await db
    .selectFrom('systems')
    .innerJoin('apps', 'apps.id', 'systems.app_id')
    .select(['apps.id', 'apps.name', 'systems.backup_schedule', 'systems.backup_at'])
    .where('systems.backup_schedule', 'is not', null)
    .execute()
  for (const { id, name, backup_schedule, backup_at } of systems) {
    const { cron, keep } = JSON.parse(backup_schedule ?? '{}') as BackupSchedule
    const next = nextTime(scheduleFrom({ cron }), backup_at ?? clock.now())
    if (next !== undefined && next <= clock.now()) {
      const wish = { system: name, by: `schedule ${cron}`, isScheduled: true }
      await requestBackup(parts, wish).catch(async error => {
        logger.warn('backup.not-requested', { system: name, reason: asFairleadError(error).message })
        // The next time may do better; this one is over.
        await db.updateTable('systems').set({ backup_at: clock.now() }).where('app_id', '=', id).execute()
      })
    }
    await forgetOld(db, id, keep)
  }
}

async function forgetOld(db: Kysely<Tables>, appId: string, keep: number): Promise<void> {
  const ended = await db
    .selectFrom('system_backups')
    .select(['id', 'state'])
    .where('app_id', '=', appId)
    .where('is_scheduled', '=', 1)
    .where('state', 'in', ['kept', 'failed'])
    .orderBy('id', 'desc')
    .execute()
  // One that failed takes no place of one that is there.
  for (const state of ['kept', 'failed'] as const) {
    for (const { id } of ended.filter(each => each.state === state).slice(keep)) {
      await forgetBackup(db, id)
    }
  }
}
