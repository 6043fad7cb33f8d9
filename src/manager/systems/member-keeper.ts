import type { Kysely } from 'kysely'
import { wasAway } from '#commands/away.ts'
import { systemMemberState } from '#commands/system.ts'
import type { LogLine } from '#contract/agent-frames.ts'
import { background } from '#lib/background.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import type { Logger } from '#lib/logger.ts'
import { COMMAND_INTERRUPTED } from '#link/errors.ts'
import type { Agents } from '#manager/agents/agents.ts'
import { AGENT_OFFLINE, COMMAND_LOST } from '#manager/agents/errors.ts'
import { LEAVE } from '#manager/agents/follow-options.ts'
import type { Audit } from '#manager/audit/audit.ts'
import type { Tables } from '#manager/store/tables.ts'
import { endMemberChange } from './end-member-change.ts'
import type { MemberChangeRow } from './member-changes.ts'
import { stopMemberChange } from './stop-member-change.ts'

export interface MemberKeeperOptions {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly logger: Logger
  readonly agents: Pick<Agents, 'tell' | 'resume' | 'state'>
  readonly audit: Pick<Audit, 'add'>
}

const LOOK_EVERY_MS = 1_000
const HOST_WAIT_MS = 15_000
/** So long it is tried to reach a host that is away. */
const PATIENCE_MS = 3_600_000
const MOST_ATTEMPTS = 5

/**
 * Sees to it that members of clusters are evacuated and restored, one at a time on a host. What is to be done is in the
 * table, with the id of the command that was told: after a kill of the manager it is followed, after one of the worker or
 * of the Incus daemon it is begun anew, which does what is left. One that nobody wants any more is ended.
 */
export function createMemberKeeper(options: MemberKeeperOptions): { start(): void; close(): Promise<void> } {
  const { db, clock, logger } = options
  const running = new Map<string, { readonly stop: AbortController; readonly work: Promise<void> }>()
  const awaySince = new Map<string, number>()
  let isClosed = false
  let timer: Timer | undefined

  async function look(): Promise<void> {
    const open = await db.selectFrom('member_changes').selectAll().where('state', '=', 'under-way').execute()
    for (const row of open) {
      const atWork = running.get(row.id)
      if (atWork && row.cancelled_by !== null) {
        atWork.stop.abort('no longer wanted')
      }
      if (!atWork && !isClosed) {
        begin(row)
      }
    }
  }

  function begin(row: MemberChangeRow): void {
    const stop = new AbortController()
    const does = row.cancelled_by === null ? seeTo : stopMemberChange
    // Ending it is not ended by its being asked for again.
    const { signal } = row.cancelled_by === null ? stop : new AbortController()
    const work = does({ ...options, awaySince }, row, signal).finally(() => running.delete(row.id))
    running.set(row.id, { stop, work })
    run(work)
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
      isClosed = true
      timer?.close()
      for (const { stop } of running.values()) {
        stop.abort(LEAVE)
      }
      await Promise.allSettled([...running.values()].map(({ work }) => work))
    },
  }
}

interface Seeing extends MemberKeeperOptions {
  /** By change: when its host was first not reached any more. */
  readonly awaySince: Map<string, number>
}

async function seeTo(options: Seeing, row: MemberChangeRow, signal: AbortSignal): Promise<void> {
  const { db, agents, awaySince } = options
  const { host, member, action } = row
  const id = row.command ?? newId()
  try {
    const { numUpdatedRows } = await db
      .updateTable('member_changes')
      .set({ command: id })
      .where('id', '=', row.id)
      .where('state', '=', 'under-way')
      .executeTakeFirstOrThrow()
    if (numUpdatedRows === 0n) {
      // It ended while it was read for being begun.
      return
    }
    const { name: command, deadlineMs } = systemMemberState
    const told = {
      id,
      command,
      params: { member, action },
      deadlineMs,
      waitMs: HOST_WAIT_MS,
      signal,
      comesBack: true,
    }
    await agents.tell(host, { ...told, onLines: lines => noteLines(options, row, lines) })
    awaySince.delete(row.id)
    await endMemberChange(options, row, { state: 'done', reason: null })
  } catch (caught) {
    if (!signal.aborted) {
      await noteFailure(options, { ...row, command: id }, asFairleadError(caught))
    }
  }
}

/** There is no log of its own for it: what Incus is found at work with stands in the manager's. */
function noteLines(
  { logger }: Seeing,
  { host, member, action }: MemberChangeRow,
  lines: readonly LogLine[],
): void {
  for (const { text } of lines) {
    logger.info('member.said', { host, member, action, text })
  }
}

async function noteFailure(options: Seeing, row: MemberChangeRow, error: FairleadError): Promise<void> {
  const { db, clock, logger, awaySince } = options
  const again = async (to: Partial<Pick<MemberChangeRow, 'command' | 'attempts'>>) => {
    await db.updateTable('member_changes').set(to).where('id', '=', row.id).execute()
  }
  const wasLost = COMMAND_INTERRUPTED.matches(error) || COMMAND_LOST.matches(error)
  if (wasLost && row.attempts + 1 < MOST_ATTEMPTS) {
    await again({ command: null, attempts: row.attempts + 1 })
    return
  }
  const isOffline = AGENT_OFFLINE.matches(error)
  const since = isOffline ? (awaySince.get(row.id) ?? clock.now()) : clock.now()
  if ((isOffline || wasAway(error)) && clock.now() - since < PATIENCE_MS) {
    awaySince.set(row.id, since)
    // The agent may still be told this one: an id of its own for the next try would do it twice.
    await again({ command: isOffline ? row.command : null })
    return
  }
  awaySince.delete(row.id)
  const { host, member, action } = row
  logger.warn('member.failed', { host, member, action, code: error.code, reason: error.message })
  await endMemberChange(options, row, { state: 'failed', reason: `${error.message} ${error.hint}` })
}
