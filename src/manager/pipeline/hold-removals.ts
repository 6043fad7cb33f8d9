import { appsByFiles, holdingOf } from '#manager/apps/held-removals.ts'
import { heldMessage } from '#manager/notifications/message.ts'
import { noteMessage } from '#manager/outbox/note-message.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { type DescribedApps, isUnwanted } from './described-apps.ts'
import { APP_REMOVAL_HELD } from './errors.ts'
import type { StepContext } from './step.ts'

/**
 * Decides which apps of the repository wait for a person although its files want them no more, before anything is
 * removed or created by this commit, and tells people of new ones.
 */
export async function holdRemovals(context: StepContext, described: DescribedApps): Promise<void> {
  const { parts, app, deployment, repository, facts } = context
  const { source, byNames } = described
  const isTip = (deployment.wantedCommit ?? deployment.approved) === undefined && facts.wish?.dryRun !== true
  if (!repository || app.by_files === null || !isTip || !byNames || source.truncated === true) {
    return
  }
  const look = async (db: typeof parts.db) =>
    holdingOf(repository, await appsByFiles(db, repository.id), each => isUnwanted(described, each))
  const seen = await look(parts.db)
  if (seen.back.length === 0 && seen.news.length === 0 && !seen.isSettled) {
    return
  }
  await inTransaction(parts.db, async db => {
    // Another deployment of the repository may have seen the same.
    const { back, news, isSettled, total } = await look(db)
    const now = parts.clock.now()
    if (back.length > 0) {
      const ids = back.map(({ id }) => id)
      await db.deleteFrom('held_removals').where('app_id', 'in', ids).execute()
    }
    if (isSettled) {
      await db.updateTable('repositories').set({ moved: 0 }).where('id', '=', repository.id).execute()
    }
    if (news.length > 0) {
      const rows = news.map(({ app: { id }, why }) => ({
        app_id: id,
        why,
        tip: source.commit,
        created_at: now,
      }))
      await db.insertInto('held_removals').values(rows).execute()
      const names = news.map(({ app: { name } }) => name)
      await noteMessage({ ...parts, db }, heldMessage({ repository: repository.name, names, total }, now))
    }
  })
}

/** Refuses the removal of an app that waits for a person. */
export async function refuseHeld({ parts: { db }, app, repository }: StepContext): Promise<void> {
  const held = await db
    .selectFrom('held_removals')
    .selectAll()
    .where('app_id', '=', app.id)
    .executeTakeFirst()
  if (held && held.allowed_by === null) {
    throw APP_REMOVAL_HELD(app.name, repository?.name ?? '', WORDS[held.why])
  }
}

const WORDS = {
  many: 'with it more than half of the apps of its files would go at once',
  moved: 'with it all apps of its files would go, since the repository is read from another place',
  approval: 'its deployments need an approval',
}
