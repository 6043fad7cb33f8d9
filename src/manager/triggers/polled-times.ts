import { type Kysely, sql } from 'kysely'
import { SOON } from '#manager/store/soon.ts'
import type { Tables } from '#manager/store/tables.ts'

/** So old may the time be that the API shows. */
const EVERY_MS = 10_000

/**
 * When each repository was last looked at. Most looks find nothing new: their times are collected and written
 * together, so that a thousand of them a minute are six writes that wait for no disk.
 */
export class PolledTimes {
  readonly #db: Kysely<Tables>
  #times = new Map<string, number>()
  #writtenAt = 0

  constructor(db: Kysely<Tables>) {
    this.#db = db
  }

  note(repositoryId: string, at: number): void {
    this.#times.set(repositoryId, at)
  }

  /** Whether it is time to write. */
  isDue(now: number): boolean {
    return this.#times.size > 0 && Math.abs(now - this.#writtenAt) >= EVERY_MS
  }

  async write(now: number): Promise<void> {
    const times = this.#times
    if (times.size === 0) {
      return
    }
    this.#times = new Map()
    this.#writtenAt = now
    const list = JSON.stringify(Object.fromEntries(times))
    try {
      await this.#db
        .updateTable('repositories')
        .set({
          last_polled_at: sql`(select cast(value as bigint) from json_each(${list}) where key = repositories.id)`,
        })
        .where('id', 'in', sql<string>`(select key from json_each(${list}))`)
        .modifyEnd(SOON)
        .execute()
    } catch (error) {
      this.#times = new Map([...times, ...this.#times])
      throw error
    }
  }
}
