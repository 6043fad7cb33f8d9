import type { Kysely } from 'kysely'
import { background } from '#lib/background.ts'
import type { Timer } from '#lib/clock.ts'
import { asFairleadError, type FairleadError, toWire } from '#lib/errors.ts'
import { organisationMessage } from '#manager/notifications/message.ts'
import { noteMessage } from '#manager/outbox/note-message.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'
import type { Tables } from '#manager/store/tables.ts'
import { afterCommit, inTransaction } from '#manager/store/transaction.ts'
import { ORGANISATION_NOT_FOUND, ORGANISATION_REPLACED } from './errors.ts'
import { listRemote } from './listing.ts'
import type { OrganisationRow } from './queries.ts'
import { stopRepository } from './stop-repository.ts'
import { type Found, takeListing } from './take-listing.ts'

const LOOK_EVERY_MS = 30_000
const DAY_MS = 24 * 3_600_000
const FIRST_BACKOFF_MS = 5 * 60_000
const LONGEST_BACKOFF_MS = 6 * 3_600_000
/** Failures in a row before people are told. */
const PATIENCE = 3

export interface KeeperOptions {
  /** From 0 to 1; default Math.random. */
  readonly random?: () => number
}

/** Lists every organisation once a day, and sooner after a failure. One at a time: nothing of it is urgent. */
export function startKeeper(parts: ManagerParts, options: KeeperOptions = {}): Timer {
  let busy = false
  return parts.clock.every(LOOK_EVERY_MS, () => {
    if (busy) {
      return
    }
    busy = true
    background(
      keepDue(parts, options).finally(() => {
        busy = false
      }),
      error => parts.logger.warn('organisation.failed', { message: error.message }),
    )
  })
}

async function keepDue(parts: ManagerParts, options: KeeperOptions): Promise<void> {
  const due = await parts.db
    .selectFrom('organisations')
    .selectAll()
    .where('due_at', '<=', parts.clock.now())
    .orderBy('due_at')
    .execute()
  for (const organisation of due) {
    await keepOrganisation(parts, organisation, options).catch(error => {
      parts.logger.warn('organisation.not-listed', {
        organisation: organisation.name,
        message: asFairleadError(error).message,
      })
    })
  }
}

const running = new WeakMap<Kysely<Tables>, Map<string, Promise<readonly Found[]>>>()

/**
 * Lists an organisation now and takes what it has; notes when it is listed next. Throws what stood in the way. Who asks
 * while it is being listed gets that listing: two at once would register everything twice.
 */
export async function keepOrganisation(
  parts: ManagerParts,
  organisation: OrganisationRow,
  options: KeeperOptions = {},
): Promise<readonly Found[]> {
  const ofStore = running.get(parts.db) ?? new Map<string, Promise<readonly Found[]>>()
  running.set(parts.db, ofStore)
  const present = ofStore.get(organisation.id)
  if (present) {
    return await present
  }
  const listing = listAndTake(parts, organisation, options).finally(() => ofStore.delete(organisation.id))
  ofStore.set(organisation.id, listing)
  return await listing
}

async function listAndTake(
  parts: ManagerParts,
  organisation: OrganisationRow,
  { random = Math.random }: KeeperOptions,
): Promise<readonly Found[]> {
  try {
    const listing = await listRemote(parts, organisation)
    const found = listing === 'unchanged' ? [] : await takeListing(parts, organisation, listing.repositories)
    const now = parts.clock.now()
    await note(parts, organisation, {
      failures: 0,
      problem: null,
      listed_at: now,
      due_at: now + Math.round(DAY_MS * (0.9 + 0.2 * random())),
      ...(listing === 'unchanged' ? {} : { etag: listing.etag ?? null }),
    })
    return found
  } catch (error) {
    if (!isStoreTrouble(error)) {
      await noteFailure(parts, organisation, asFairleadError(error))
    }
    throw error
  }
}

async function noteFailure(
  parts: ManagerParts,
  organisation: OrganisationRow,
  error: FairleadError,
): Promise<void> {
  const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** organisation.failures, LONGEST_BACKOFF_MS)
  const waitMs = typeof error.retry === 'object' ? error.retry.afterSeconds * 1000 : backoff
  const now = parts.clock.now()
  // What time does not heal, an expired token, is told at once.
  const failures = Math.max(organisation.failures + 1, error.retry === 'never' ? PATIENCE : 1)
  await inTransaction(parts.db, async db => {
    const inside = { ...parts, db }
    await note(inside, organisation, {
      failures: Math.min(failures, 20),
      problem: JSON.stringify(toWire(error)),
      due_at: now + waitMs,
      etag: null,
    })
    const isGone = ORGANISATION_REPLACED.matches(error) || ORGANISATION_NOT_FOUND.matches(error)
    const stopped = isGone && (await stopAll(inside, organisation, error))
    if (stopped || (organisation.failures < PATIENCE && failures >= PATIENCE)) {
      const what = stopped ? 'nothing of it is deployed any more' : 'its repositories cannot be listed'
      const about = { organisation: organisation.name, what, error: toWire(error) }
      await noteMessage(inside, organisationMessage(about, now))
    }
  })
}

/** Whether any of them was not stopped before. */
async function stopAll(
  parts: ManagerParts,
  organisation: OrganisationRow,
  error: FairleadError,
): Promise<boolean> {
  let isNews = false
  const rows = await parts.db
    .selectFrom('repositories')
    .select(['id', 'name', 'stopped'])
    .where('organisation_id', '=', organisation.id)
    .execute()
  for (const row of rows) {
    isNews = (await stopRepository(parts, row, error)) || isNews
  }
  return isNews
}

async function note(
  { db, events }: ManagerParts,
  { id, name }: OrganisationRow,
  columns: Partial<OrganisationRow>,
): Promise<void> {
  await db.updateTable('organisations').set(columns).where('id', '=', id).execute()
  const state = columns.problem ? 'problem' : 'listed'
  afterCommit(db, () => events.publish('organisation', { id, organisation: name, state }))
}
