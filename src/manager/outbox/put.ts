import type { Kysely } from 'kysely'
import type { Clock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import type { Tables } from '#manager/store/tables.ts'
import { afterCommit } from '#manager/store/transaction.ts'
import type { Interest } from './interest.ts'

/** What those need of the outbox who have something to tell. */
export interface OutboxDoor {
  interest(): Interest
  /** Sends what is there; called when it is on the disk. */
  wake(): void
}

export interface PuttingContext {
  readonly db: Kysely<Tables>
  readonly clock: Pick<Clock, 'now'>
  readonly outbox: OutboxDoor
}

export interface Entry {
  readonly place: string
  readonly subject: string
  readonly payload: object
  /** Not told before; default at once. */
  readonly delayMs?: number
}

export function reportPlace(repositoryId: string): string {
  return `report:${repositoryId}`
}

export function channelPlace(channelId: string): string {
  return `channel:${channelId}`
}

/** Where the notebooks of a repository are to be found is told to the repository. */
export function linksPlace(repositoryId: string): string {
  return `links:${repositoryId}`
}

/** Its worker is asked what the environment of a notebook project resolved to. */
export function packagesPlace(appId: string): string {
  return `packages:${appId}`
}

/** Puts entries in line, as part of the transaction `db` that makes what they tell of true. */
export async function putIn({ db, clock, outbox }: PuttingContext, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) {
    return
  }
  const now = clock.now()
  await db
    .insertInto('outbox')
    .values(
      entries.map(({ place, subject, payload, delayMs = 0 }) => ({
        id: newId(),
        place,
        subject,
        payload: JSON.stringify(payload),
        next_at: now + delayMs,
        created_at: now,
      })),
    )
    .execute()
  afterCommit(db, outbox.wake)
}

/** Takes back what is not sent yet, because a newer state of the same subject says more. */
export async function replaceEarlier(
  { db, clock }: PuttingContext,
  { place, subject }: Pick<Entry, 'place' | 'subject'>,
): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ ended_at: clock.now(), result: 'replaced' })
    .where('place', '=', place)
    .where('subject', '=', subject)
    .where('ended_at', 'is', null)
    .execute()
}
