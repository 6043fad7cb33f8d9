import type { Kysely } from 'kysely'
import { wasAway } from '#commands/away.ts'
import { systemMemberState } from '#commands/system.ts'
import { background } from '#lib/background.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import type { Logger } from '#lib/logger.ts'
import { COMMAND_INTERRUPTED } from '#link/errors.ts'
import type { Agents } from '#manager/agents/agents.ts'
import { AGENT_OFFLINE, COMMAND_LOST } from '#manager/agents/errors.ts'
import { LEAVE } from '#manager/agents/follow-options.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { MemberChangeRow } from './member-changes.ts'

interface KeeperOptions {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly logger: Logger
  readonly agents: Pick<Agents, 'tell'>
}

const LOOK_EVERY_MS = 1_000
const HOST_WAIT_MS = 15_000
/** So long it is tried to reach a host that is away. */
const PATIENCE_MS = 3_600_000
const MOST_ATTEMPTS = 5

/**
 * Sees to it that members of clusters are evacuated and restored, one at a time on a host. What is to be done is in the
 * table, with the id of the command that was told: after a kill of the manager it is followed, after one of the worker or
 * of the Incus daemon it is begun anew, which does what is left.
 */
export function createMemberKeeper(options: KeeperOptions): { start(): void; close(): Promise<void> } {
  const { db, clock, logger } = options
  const running = new Map<string, Promise<void>>()
  const stop = new AbortController()
  const awaySince = new Map<string, number>()
  let timer: Timer | undefined

  async function look(): Promise<void> {
    const open = await db.selectFrom('member_changes').selectAll().where('state', '=', 'under-way').execute()
    for (const row of open) {
      if (!running.has(row.id) && !stop.signal.aborted) {
        const work = seeTo({ ...options, awaySince }, row, stop.signal).finally(() => running.delete(row.id))
        running.set(row.id, work)
        run(work)
      }
    }
  }

  function run(work: Promise<void>): void {
    background(work, error => logger.error('member.broken', { message: error.message }))
  }

  return {
    start() {
      timer = clock.every(LOOK_EVERY_MS, () => run(look()))
      run(look())
    },
    async close() {
      timer?.close()
      stop.abort(LEAVE)
      await Promise.allSettled(running.values())
    },
  }
}

interface Seeing extends KeeperOptions {
  /** By change: when its host was first not reached any more. */
  readonly awaySince: Map<string, number>
}

async function seeTo(options: Seeing, row: MemberChangeRow, signal: AbortSignal): Promise<void> {
  const { agents, clock, logger, awaySince } = options
  const { host, member, action } = row
  const id = row.command ?? newId()
  try {
    await change(options, row, { command: id })
    const { name: command, deadlineMs } = systemMemberState
    const told = { id, command, params: { member, action }, deadlineMs, waitMs: HOST_WAIT_MS, signal }
    await agents.tell(host, told)
    awaySince.delete(row.id)
    logger.info(`member.${action}`, { host, member, ok: true })
    await change(options, row, { state: 'done', command: null, ended_at: clock.now() })
  } catch (caught) {
    if (signal.aborted) {
      return
    }
    const error = asFairleadError(caught)
    const wasLost = COMMAND_INTERRUPTED.matches(error) || COMMAND_LOST.matches(error)
    const isAway = AGENT_OFFLINE.matches(error) || wasAway(error)
    if (wasLost && row.attempts + 1 < MOST_ATTEMPTS) {
      await change(options, row, { command: null, attempts: row.attempts + 1 })
      return
    }
    const since = AGENT_OFFLINE.matches(error) ? (awaySince.get(row.id) ?? clock.now()) : clock.now()
    if (isAway && clock.now() - since < PATIENCE_MS) {
      awaySince.set(row.id, since)
      // The agent may still be told this one: an id of its own for the next try would do it twice.
      await change(options, row, { command: AGENT_OFFLINE.matches(error) ? id : null })
      return
    }
    awaySince.delete(row.id)
    logger.warn('member.failed', { host, member, action, code: error.code, reason: error.message })
    const reason = `${error.message} ${error.hint}`
    await change(options, row, { state: 'failed', command: null, reason, ended_at: clock.now() })
  }
}

async function change(
  { db }: KeeperOptions,
  { id }: MemberChangeRow,
  to: Partial<Pick<MemberChangeRow, 'state' | 'command' | 'attempts' | 'reason' | 'ended_at'>>,
): Promise<void> {
  await db.updateTable('member_changes').set(to).where('id', '=', id).execute()
}
