import { noteArtifact } from '#manager/artifacts/note-artifact.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import type { DeploymentsContext } from '#manager/deployments/request.ts'
import type { ReleaseDraft } from '#manager/pipeline/step.ts'
import { notePins } from './pins.ts'
import { newestRelease } from './queries.ts'

export interface NewRelease {
  readonly id: string
  readonly deployment: Deployment
  readonly draft: ReleaseDraft
}

/** Writes a release down. It is never changed afterwards. */
export async function storeRelease(context: DeploymentsContext, release: NewRelease): Promise<void> {
  const { id, deployment, draft } = release
  await context.db
    .insertInto('releases')
    .values({
      id,
      app_id: deployment.appId,
      deployment_id: deployment.id,
      commit: draft.commit,
      commit_subject: draft.commitSubject,
      target: draft.target,
      settings_sealed: draft.settingsSealed,
      secrets: JSON.stringify(draft.secretRevisions),
      origin: draft.origin ?? id,
      remotes: draft.joined ? JSON.stringify(draft.joined) : null,
      held_commit: await heldCommit(context, release),
      config_hash: draft.configHash,
      content: JSON.stringify(draft.content),
      created_at: context.clock.now(),
    })
    .execute()
  await notePins(context.db, { release_id: id }, draft.content)
  await noteArtifact(context, release)
}

/**
 * The commit that a rollback turns away from: the last one that was tried from the branch. It stays turned away from
 * while what was brought back is brought back again (repaired), until a deployment from the branch makes a release.
 */
async function heldCommit(
  { db }: DeploymentsContext,
  { deployment, draft }: NewRelease,
): Promise<string | null> {
  if (draft.origin === undefined) {
    return null
  }
  const before = await newestRelease(db, deployment.appId)
  if (before?.origin === draft.origin) {
    return before.held_commit
  }
  const tried = await db
    .selectFrom('deployments')
    .select('commit')
    .where('app_id', '=', deployment.appId)
    .where('id', '<', deployment.id)
    .where('wanted_release', 'is', null)
    .where('commit', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return tried?.commit ?? null
}
