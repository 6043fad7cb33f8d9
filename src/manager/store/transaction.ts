import { setImmediate as nextTurn } from 'node:timers/promises'
import { CompiledQuery, type Kysely, type Transaction } from 'kysely'
import type { Tables } from './tables.ts'

type Work = (transaction: Transaction<Tables>) => Promise<unknown>

interface Member {
  readonly work: Work
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

// Compiled once: they are most of what a small member does.
const SAVE = CompiledQuery.raw('savepoint member')
const RELEASE = CompiledQuery.raw('release member')
const ROLL_BACK = CompiledQuery.raw('rollback to member')

const groups = new WeakMap<Kysely<Tables>, CommitGroups>()
/** What the present member of a transaction wants done once it is committed. */
const afterwards = new WeakMap<Kysely<Tables>, (() => void)[]>()

/**
 * Runs the work in a transaction and resolves when it is on the disk. Inside a transaction it joins that one.
 * Works that arrive together share one commit (one fsync); each has its own savepoint, so one that throws
 * undoes only itself. The work must do nothing but speak to the given transaction.
 */
export function inTransaction<T>(
  db: Kysely<Tables>,
  work: (transaction: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  if (db.isTransaction) {
    return work(db as Transaction<Tables>)
  }
  let group = groups.get(db)
  if (!group) {
    group = new CommitGroups(db)
    groups.set(db, group)
  }
  return group.add(work) as Promise<T>
}

/** Does it when what the transaction wrote is on the disk, and never when it was undone; outside of one at once. */
export function afterCommit(db: Kysely<Tables>, doing: () => void): void {
  const waiting = afterwards.get(db)
  if (waiting) {
    waiting.push(doing)
  } else {
    doing()
  }
}

/** Collects works while a commit is under way; then runs all of them in the next one. */
class CommitGroups {
  readonly #db: Kysely<Tables>
  #waiting: Member[] = []
  #running = false

  constructor(db: Kysely<Tables>) {
    this.#db = db
  }

  add(work: Work): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#waiting.push({ work, resolve, reject })
    if (!this.#running) {
      this.#running = true
      void this.#run()
    }
    return promise
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Lets the other requests that have arrived at the sockets join.
      await nextTurn()
      const members = this.#waiting
      this.#waiting = []
      await commit(this.#db, members)
    }
    this.#running = false
  }
}

async function commit(db: Kysely<Tables>, members: readonly Member[]): Promise<void> {
  const settle: (() => void)[] = []
  const [only, ...others] = members
  try {
    await db.transaction().execute(async transaction => {
      if (only && others.length === 0) {
        const told: (() => void)[] = []
        afterwards.set(transaction, told)
        const value = await only.work(transaction)
        settle.push(...told, () => only.resolve(value))
        return
      }
      for (const member of members) {
        settle.push(...(await runMember(transaction, member)))
      }
    })
  } catch (error) {
    // Nothing of the group is stored.
    for (const member of members) {
      member.reject(error)
    }
    return
  }
  for (const each of settle) {
    each()
  }
}

/** Gives what to tell the member once the group is committed; throws when the whole transaction is lost. */
async function runMember(
  transaction: Transaction<Tables>,
  { work, resolve, reject }: Member,
): Promise<readonly (() => void)[]> {
  const told: (() => void)[] = []
  afterwards.set(transaction, told)
  await transaction.executeQuery(SAVE)
  try {
    const value = await work(transaction)
    await transaction.executeQuery(RELEASE)
    return [...told, () => resolve(value)]
  } catch (error) {
    try {
      await transaction.executeQuery(ROLL_BACK)
      await transaction.executeQuery(RELEASE)
    } catch {
      throw error
    }
    return [() => reject(error)]
  }
}
