import { background } from '#lib/background.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import { asFairleadError, FairleadError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { SOON } from '#manager/store/soon.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { type Interest, NOBODY, readInterest } from './interest.ts'
import { type Attempt, type Places, placeOf } from './places.ts'
import type { OutboxDoor, PuttingContext } from './put.ts'
import { nextAt, type OutboxRow, readDue } from './rows.ts'

export interface Outbox extends OutboxDoor {
  /** Reads anew who wants to hear of what: after every change of that. */
  refresh(): Promise<void>
  /** Sends nothing new; resolves when nothing is on its way any more, at the latest after some seconds. */
  close(): Promise<void>
}

export interface OutboxParts extends Omit<PuttingContext, 'outbox'> {
  readonly clock: Clock
  readonly logger: Logger
  readonly places: Places
}

/** Places that are told something at once; each gets one thing after the other. */
const AT_ONCE = 8
/** When the store could not be used. */
const AGAIN_MS = 5000
const FIRST_WAIT_MS = 5000
const LONGEST_WAIT_MS = 60 * 60_000
const GIVEN_UP_AFTER_MS = 24 * 60 * 60_000
/** So often in vain, it is shown as a problem although it is tried again. */
const SHOWN_AFTER = 3
const CLOSE_WITHIN_MS = 3000

/**
 * Sends what is in line: at least once, per subject in order, again and again for a day. Nothing waits for it, and when
 * nothing is in line it does nothing: no timer, no question.
 */
export function createOutbox(parts: OutboxParts): Outbox {
  const { db, clock, logger, places } = parts
  const busy = new Map<string, Promise<void>>()
  let interest: Interest = NOBODY
  let closed = false
  let looking: Promise<void> | undefined
  let again = false
  let timer: Timer | undefined
  const outbox: Outbox = {
    interest: () => interest,
    wake,
    async refresh() {
      interest = await readInterest(db)
    },
    async close() {
      closed = true
      timer?.close()
      await looking
      // What is cut off here is sent again after the next start.
      const patience = Promise.withResolvers<void>()
      const limit = clock.after(CLOSE_WITHIN_MS, patience.resolve)
      await Promise.race([Promise.all(busy.values()), patience.promise])
      limit.close()
    },
  }
  return outbox

  function wake(): void {
    if (closed) {
      return
    }
    if (looking) {
      again = true
      return
    }
    timer?.close()
    looking = look().finally(() => {
      looking = undefined
      if (again) {
        again = false
        wake()
      }
    })
    background(looking, error => {
      logger.error('outbox.failed', { code: error.code, message: error.message })
      timer = clock.after(AGAIN_MS, wake)
    })
  }

  async function look(): Promise<void> {
    const due = await readDue(db, clock.now(), { except: [...busy.keys()], limit: AT_ONCE * 4 })
    for (const row of due) {
      if (!closed && !busy.has(row.place) && busy.size < AT_ONCE) {
        start(row)
      }
    }
    const next = busy.size < AT_ONCE ? await nextAt(db, [...busy.keys()]) : undefined
    if (next !== undefined && !closed) {
      timer = clock.after(Math.max(0, next - clock.now()), wake)
    }
  }

  function start(row: OutboxRow): void {
    const work = send(row)
      .catch(error => {
        logger.error('outbox.broken', { place: row.place, message: String(error) })
        // Not in a hot loop.
        return clock.sleep(AGAIN_MS).catch(() => undefined)
      })
      .finally(() => {
        busy.delete(row.place)
        wake()
      })
    busy.set(row.place, work)
  }

  async function send(row: OutboxRow): Promise<void> {
    // Whoever sends it next has to know that it may have arrived.
    await db
      .updateTable('outbox')
      .set({ attempts: row.attempts + 1 })
      .where('seq', '=', row.seq)
      .modifyEnd(SOON)
      .execute()
    const attempt = await tryToSend(row)
    if (closed) {
      return
    }
    await settle({ ...row, attempts: row.attempts + 1 }, attempt)
  }

  async function tryToSend(row: OutboxRow): Promise<Attempt> {
    try {
      return await placeOf(places, row.place).deliver(row)
    } catch (thrown) {
      if (!(thrown instanceof FairleadError)) {
        logger.error('outbox.defect', { place: row.place, message: String(thrown) })
      }
      const error = asFairleadError(thrown)
      return { kind: error.retry === 'never' ? 'refused' : 'later', reason: error.message, error }
    }
  }

  async function settle(row: OutboxRow, attempt: Attempt): Promise<void> {
    const now = clock.now()
    const nextTry = now + waitAfter(row.attempts, attempt)
    const isGivenUp = attempt.kind === 'later' && nextTry > row.created_at + GIVEN_UP_AFTER_MS
    const isOpen = attempt.kind === 'later' && !isGivenUp
    const result = isGivenUp ? 'given-up' : attempt.kind
    const problem = await inTransaction(db, async transaction => {
      if (attempt.remote !== undefined) {
        await transaction
          .updateTable('outbox')
          .set({ remote: attempt.remote })
          .where('seq', '=', row.seq)
          .execute()
      }
      await transaction
        .updateTable('outbox')
        .set(isOpen || result === 'later' ? { next_at: nextTry } : { ended_at: now, result })
        .where('seq', '=', row.seq)
        // A newer state may have taken its place while it was on its way.
        .where('ended_at', 'is', null)
        .execute()
      const place = placeOf(places, row.place)
      if (attempt.kind === 'sent') {
        await place.noteSent(transaction)
      }
      const isShown = attempt.kind === 'refused' || isGivenUp || row.attempts >= SHOWN_AFTER
      return attempt.kind !== 'sent' && attempt.kind !== 'unwanted' && isShown
        ? await place.noteProblem({ db: transaction, clock, outbox }, attempt)
        : undefined
    })
    if (problem) {
      logger.warn('outbox.problem', { place: row.place, code: problem.code, message: problem.message })
    }
  }
}

/** 5 s, twice as long each time, an hour at most; or as long as the other side asks for. */
export function waitAfter(attempts: number, attempt: Pick<Attempt, 'afterMs'>): number {
  const own = FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 20)
  return Math.min(LONGEST_WAIT_MS, Math.max(own, attempt.afterMs ?? 0))
}
