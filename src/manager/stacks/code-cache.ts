import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'
import type { RepositoryRow, StackCode } from './read-code.ts'

/** So long what was read is shown again, unless the branch is known to have moved. */
const SHOWN_MS = 10_000

interface Kept {
  readonly at: number
  readonly as: string
  readonly code: Promise<StackCode>
}

/** By store, so that two managers in one process share nothing. */
const caches = new WeakMap<Kysely<Tables>, Map<string, Kept>>()

interface Parts {
  readonly db: Kysely<Tables>
  readonly clock: { now(): number }
}

/** What a repository says, read some seconds ago at most; questions at the same time are one. */
export function recentCode(
  { db, clock }: Parts,
  repository: RepositoryRow,
  read: () => Promise<StackCode>,
): Promise<StackCode> {
  const cache = cacheOf(db)
  const as = `${repository.version} ${repository.last_tip}`
  const kept = cache.get(repository.id)
  if (kept && kept.as === as && clock.now() - kept.at < SHOWN_MS) {
    return kept.code
  }
  const code = read()
  cache.set(repository.id, { at: clock.now(), as, code })
  // A failure is told to those who asked, and the next one asks again.
  code.catch(() => forgetCode({ db }, repository.id))
  return code
}

/** What we have just written is seen at once. */
export function forgetCode({ db }: Pick<Parts, 'db'>, repositoryId: string): void {
  cacheOf(db).delete(repositoryId)
}

function cacheOf(db: Kysely<Tables>): Map<string, Kept> {
  const cache = caches.get(db) ?? new Map<string, Kept>()
  caches.set(db, cache)
  return cache
}
