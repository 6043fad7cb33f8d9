import type { Kysely } from 'kysely'
import { keptReleases } from '#manager/releases/queries.ts'
import type { Tables } from '#manager/store/tables.ts'

interface Goal {
  readonly wanted_release: string
  readonly wanted_commit: string
}

/** The release before the one that runs now; without one the deployment keeps the goal that it was asked for with. */
export async function previousGoal(db: Kysely<Tables>, appId: string): Promise<Partial<Goal>> {
  const [, release] = await keptReleases(db, appId, 2)
  return release ? { wanted_release: release.id, wanted_commit: release.commit } : {}
}
