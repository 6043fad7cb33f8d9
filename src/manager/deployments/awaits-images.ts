import type { Kysely } from 'kysely'
import { compiledOnce } from '#manager/store/compiled-once.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { Startable } from './queries.ts'

/**
 * Whether a stack that a repository's files describe has to wait: images of the same repository are to be built first,
 * as the same push may have changed both. Nothing is held while it waits, and the end of each deployment wakes the queue.
 */
export async function awaitsImages(
  db: Kysely<Tables>,
  { byFiles, repositoryId }: Pick<Startable, 'byFiles' | 'repositoryId'>,
): Promise<boolean> {
  if (byFiles !== 'stack' || repositoryId === null) {
    return false
  }
  return (await openBuilds(db, { repository: repositoryId })).length > 0
}

/** A paused app builds nothing until a person has looked. */
const openBuilds = compiledOnce((db, { repository }: { repository: string }) =>
  db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select('deployments.id')
    .where('apps.repository_id', '=', repository)
    .where('apps.by_files', '=', 'image')
    .where('apps.paused_at', 'is', null)
    .where('apps.stopped_at', 'is', null)
    .where('deployments.kind', '=', 'deploy')
    .where('deployments.state', 'in', ['queued', 'running'])
    .limit(1),
)
