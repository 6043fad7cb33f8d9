import type { Kysely } from 'kysely'
import type { PushedCommitTable } from '#manager/store/pushed-table.ts'
import type { Tables } from '#manager/store/tables.ts'

/** A commit, and what lies below it when it is one of ours. */
export interface Lineage {
  /** The commit, then each that the one before was made on: all of them want the same of every app. */
  readonly commits: readonly string[]
  /** The last of them: what a person pushed. */
  readonly origin: string
  /** That one asks for no deployment; undefined where only its message can tell. */
  readonly skips: boolean | undefined
}

/** More of ours on top of each other than this are compared by their content instead. */
const MOST = 200

/**
 * Looks through commits of ours to the one that somebody else made. A commit of ours is no reason to deploy, but what
 * it was made on may be one: somebody may have pushed between a deployment and our report about it.
 */
export async function lineageOf(db: Kysely<Tables>, repositoryId: string, commit: string): Promise<Lineage> {
  const commits = [commit]
  let origin = commit
  let skips: boolean | undefined
  while (commits.length < MOST) {
    const row = await db
      .selectFrom('pushed_commits')
      .select(['parent', 'skips'])
      .where('repository_id', '=', repositoryId)
      .where('commit', '=', origin)
      .executeTakeFirst()
    if (!row) {
      break
    }
    origin = row.parent
    skips = row.skips === 1
    commits.push(origin)
  }
  return { commits, origin, skips }
}

/** Notes a commit of ours. Done again it changes nothing. */
export async function notePushed(db: Kysely<Tables>, row: PushedCommitTable): Promise<void> {
  await db
    .insertInto('pushed_commits')
    .values(row)
    .onConflict(conflict => conflict.doNothing())
    .execute()
}
