import type { Kysely, Selectable } from 'kysely'
import { wasAway } from '#commands/away.ts'
import { systemBackup, systemForgetBackup } from '#commands/system.ts'
import { background } from '#lib/background.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import type { Logger } from '#lib/logger.ts'
import { COMMAND_INTERRUPTED } from '#link/errors.ts'
import type { Agents } from '#manager/agents/agents.ts'
import { AGENT_OFFLINE, COMMAND_LOST, HOST_NOT_FOUND } from '#manager/agents/errors.ts'
import { LEAVE } from '#manager/agents/follow-options.ts'
import type { Events } from '#manager/deployments/events.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { SystemBackupTable } from '#manager/store/system-tables.ts'
import type { Tables } from '#manager/store/tables.ts'
import { type BackupRow, listOpenBackups, readBackup } from './backups.ts'
import { carryBackup } from './carry-backup.ts'
import { requestDueBackups } from './due-backups.ts'
import { BACKUP_NOT_USABLE } from './errors.ts'

export interface BackupKeeper {
  start(): void
  close(): Promise<void>
}

interface KeeperOptions {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly logger: Logger
  readonly sealer: Sealer
  readonly agents: Pick<Agents, 'tell' | 'resume'>
  readonly events: Pick<Events, 'publish'>
}

const LOOK_EVERY_MS = 2_000
const HOST_WAIT_MS = 15_000
/** So long it is tried to reach a host that is away. */
const PATIENCE_MS = 3_600_000
const MOST_ATTEMPTS = 3
const ROOM_FOR_FORMAT = 64 * 2 ** 20
/** Of a system without a disk limit. */
const MOST_BYTES = 256 * 2 ** 30

/**
 * Sees to it that backups are made and deleted, one at a time on a host. What is to be done is in the table, with the id of
 * the command that was told: after a kill of the manager it is followed, after one of the worker it is begun anew.
 */
export function createBackupKeeper(options: KeeperOptions): BackupKeeper {
  const { db, clock, logger } = options
  const running = new Map<
    string,
    { readonly id: string; readonly stop: AbortController; work: Promise<void> }
  >()
  let timer: Timer | undefined
  let looking: Promise<void> | undefined

  async function look(): Promise<void> {
    await requestDueBackups(options)
    const open = await listOpenBackups(db)
    // A file that cannot be deleted is tried again and again, and must not hold up what is to be made.
    const first = open.toSorted(
      (one, other) => Number(one.state === 'going') - Number(other.state === 'going'),
    )
    for (const row of first) {
      const atWork = running.get(row.host)
      if (atWork?.id === row.id && row.state === 'going') {
        atWork.stop.abort('no longer wanted')
      }
      if (!atWork) {
        begin(row)
      }
    }
  }

  function begin(row: BackupRow): void {
    const stop = new AbortController()
    const work = seeTo(options, row, stop.signal).finally(() => {
      running.delete(row.host)
      options.events.publish('app', { app: row.system, state: 'backups-changed' })
    })
    running.set(row.host, { id: row.id, stop, work })
    background(work, error => logger.error('backup.broken', { backup: row.id, message: error.message }))
  }

  function tick(): void {
    looking ??= look().finally(() => {
      looking = undefined
    })
    background(looking, error => logger.error('backup.broken', { message: error.message }))
  }

  return {
    start() {
      timer = clock.every(LOOK_EVERY_MS, tick)
      tick()
    },
    async close() {
      timer?.close()
      await looking?.catch(() => undefined)
      for (const { stop } of running.values()) {
        stop.abort(LEAVE)
      }
      await Promise.allSettled([...running.values()].map(({ work }) => work))
    },
  }
}

async function seeTo(options: KeeperOptions, row: BackupRow, signal: AbortSignal): Promise<void> {
  if (row.state !== 'making') {
    await forget(options, row, signal)
    return
  }
  const { db, clock } = options
  try {
    const kept = await (row.copy_of === null ? make(options, row, signal) : copy(options, row, signal))
    await db
      .updateTable('system_backups')
      .set({ state: 'kept', command: null, ended_at: clock.now(), ...kept })
      .where('id', '=', row.id)
      .where('state', '=', 'making')
      .execute()
  } catch (caught) {
    if (!signal.aborted) {
      await noteFailure(options, row, asFairleadError(caught))
    }
  }
}

type Kept = Pick<Selectable<SystemBackupTable>, 'bytes' | 'sha256'>

async function make(options: KeeperOptions, row: BackupRow, signal: AbortSignal): Promise<Kept> {
  const id = row.command ?? newId()
  await change(options, row, { command: id })
  const { disk_bytes } = JSON.parse(row.settings) as { disk_bytes?: number }
  const { name: command, deadlineMs } = systemBackup
  return (await options.agents.tell(row.host, {
    ...{ id, command, signal, deadlineMs, waitMs: HOST_WAIT_MS, comesBack: true },
    params: {
      ...{ id: row.app_id, name: row.system, backup: row.id, recipients: [row.recipient] },
      maxBytes: disk_bytes === undefined ? MOST_BYTES : Math.round(disk_bytes * 1.25) + ROOM_FOR_FORMAT,
    },
  })) as Kept
}

/** What is said between hosts is lost with a connection: each attempt begins anew, under ids of its own. */
async function copy({ db, agents }: KeeperOptions, row: BackupRow, signal: AbortSignal): Promise<Kept> {
  const of = await readBackup(db, row.copy_of ?? '', undefined)
  const { bytes, sha256 } = of
  if (of.state !== 'kept' || bytes === null || sha256 === null) {
    throw BACKUP_NOT_USABLE(of.id, `it is ${of.state}`)
  }
  return await carryBackup({
    ...{ agents, bytes: Number(bytes), sha256, waitMs: HOST_WAIT_MS, signal },
    from: { host: of.host, backup: of.id },
    to: { host: row.host, backup: row.id },
  })
}

async function noteFailure(options: KeeperOptions, row: BackupRow, error: FairleadError): Promise<void> {
  const { clock, logger } = options
  const wasLost = COMMAND_INTERRUPTED.matches(error) || COMMAND_LOST.matches(error)
  if (wasLost && row.attempts + 1 < MOST_ATTEMPTS) {
    await change(options, row, { command: null, attempts: row.attempts + 1 })
    return
  }
  const isAway = AGENT_OFFLINE.matches(error) || wasAway(error)
  if (isAway && clock.now() - row.created_at < PATIENCE_MS) {
    // The agent may still be told this one: an id of its own for the next try would do it twice.
    await (AGENT_OFFLINE.matches(error) ? undefined : change(options, row, { command: null }))
    return
  }
  logger.warn('backup.failed', {
    backup: row.id,
    system: row.system,
    code: error.code,
    reason: error.message,
  })
  await change(options, row, {
    ...{ state: 'failed', command: null, ended_at: clock.now() },
    reason: `${error.message} ${error.hint}`,
  } as const)
}

async function forget(options: KeeperOptions, row: BackupRow, signal: AbortSignal): Promise<void> {
  const { db, agents } = options
  if (row.command !== null) {
    // It may still be at work there, and would leave its file.
    await agents
      .resume(row.host, {
        id: row.command,
        signal: AbortSignal.abort('no longer wanted'),
        waitMs: HOST_WAIT_MS,
      })
      .catch(() => undefined)
    await change(options, row, { command: null })
  }
  try {
    await agents.tell(row.host, {
      ...{ id: newId(), command: systemForgetBackup.name, params: { backup: row.id }, signal },
      ...{ deadlineMs: systemForgetBackup.deadlineMs, waitMs: HOST_WAIT_MS },
    })
  } catch (error) {
    if (!HOST_NOT_FOUND.matches(error)) {
      return
    }
  }
  await db.deleteFrom('system_backups').where('id', '=', row.id).execute()
}

async function change(
  { db }: KeeperOptions,
  { id, state }: BackupRow,
  to: Partial<Pick<BackupRow, 'state' | 'command' | 'attempts' | 'reason' | 'ended_at'>>,
): Promise<void> {
  await db.updateTable('system_backups').set(to).where('id', '=', id).where('state', '=', state).execute()
}
