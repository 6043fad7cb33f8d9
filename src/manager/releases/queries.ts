import type { Kysely, Selectable } from 'kysely'
import { RELEASE_NOT_FOUND } from '#manager/apps/errors.ts'
import type { Deadlines } from '#manager/pipeline/deadlines.ts'
import { type Joined, joinedIn } from '#manager/pipeline/source.ts'
import type { SecretRevisions } from '#manager/secrets/queries.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { ReleaseTable, Tables } from '#manager/store/tables.ts'
import type { ReleaseFacts } from '#targets/target.ts'
import { RELEASE_INCOMPLETE } from './errors.ts'

type ReleaseRow = Selectable<ReleaseTable>

/** What of the deploy file a release keeps. */
export type KeptSettings = Pick<ReleaseGoal, 'settings' | 'deadlines'>

/** A release that a deployment brings back: all that is needed without its source. */
export interface ReleaseGoal extends ReleaseFacts {
  readonly commitSubject: string
  /** Name of its target. */
  readonly target: string
  readonly settings: Readonly<Record<string, unknown>>
  /** As the deploy file had them, in ms. */
  readonly deadlines: Deadlines
  /** Revisions of the app's secrets at its time. */
  readonly secrets: SecretRevisions
  readonly origin: string
  readonly joined: Joined | undefined
}

/** The release that runs, as far as Fairlead knows: the one that was made last. */
export async function newestRelease(db: Kysely<Tables>, appId: string): Promise<ReleaseRow | undefined> {
  return await db
    .selectFrom('releases')
    .selectAll()
    .where('app_id', '=', appId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** The last releases that differ, newest first; one that was brought back counts once. */
export async function keptReleases(db: Kysely<Tables>, appId: string, most: number): Promise<ReleaseRow[]> {
  return await db
    .selectFrom('releases')
    .selectAll()
    .where('id', 'in', eb =>
      eb
        .selectFrom('releases as each')
        .select(({ fn }) => fn.max('each.id').as('id'))
        .where('each.app_id', '=', appId)
        .groupBy(({ fn }) => fn.coalesce('each.origin', 'each.id'))
        .orderBy('id', 'desc')
        .limit(most),
    )
    .orderBy('id', 'desc')
    .execute()
}

/** The release with this id as a goal; RELEASE_NOT_FOUND, or RELEASE_INCOMPLETE when it was kept by an older program. */
export async function readGoal(
  { db, sealer }: { readonly db: Kysely<Tables>; readonly sealer: Sealer },
  app: { readonly id: string; readonly name: string },
  id: string,
): Promise<ReleaseGoal> {
  const row = await db
    .selectFrom('releases')
    .selectAll()
    .where('app_id', '=', app.id)
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) {
    throw RELEASE_NOT_FOUND(app.name, id)
  }
  if (row.target === null || row.settings_sealed === null || row.secrets === null) {
    throw RELEASE_INCOMPLETE(app.name, row.commit)
  }
  const kept = JSON.parse(sealer.open(row.settings_sealed, settingsPlace(app.id))) as KeptSettings
  return {
    ...factsOf(row),
    ...kept,
    commitSubject: row.commit_subject ?? '',
    target: row.target,
    secrets: JSON.parse(row.secrets),
    origin: row.origin ?? row.id,
    joined: joinedIn(row),
  }
}

/** What a target is told of a release. */
export function factsOf(row: ReleaseRow): ReleaseFacts {
  return {
    id: row.id,
    commit: row.commit,
    configHash: row.config_hash,
    content: JSON.parse(row.content),
  }
}

/** Where the settings of an app's releases are sealed: they may hold what somebody wrote into the deploy file. */
export function settingsPlace(appId: string): string {
  return `releases/${appId}/settings`
}
