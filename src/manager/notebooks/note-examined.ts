import type { StepContext } from '#manager/pipeline/step.ts'
import { seenNotebook } from './seen-notebook.ts'

/**
 * Writes down which notebooks a project has in the commit that is deployed, as soon as its worker told: so they are read
 * while the image is still to be built. What is served, and what is told in Git, waits for the end of the deployment.
 */
export async function noteExamined(context: StepContext): Promise<void> {
  const { parts, deployment, repository } = context
  const { examined, folder, mode, commit } = seenNotebook(context) ?? {}
  if (!repository || !examined || folder === undefined || mode === undefined || commit === undefined) {
    return
  }
  const { db, clock } = parts
  const { app } = deployment
  const seen = {
    entry: examined.entry,
    notebooks: JSON.stringify(examined.notebooks),
    language: examined.language,
    tags: JSON.stringify(examined.settings?.tags ?? []),
    ...{ seen_commit: commit, blobs: null, updated_at: clock.now() },
  }
  await db
    .insertInto('notebooks')
    .values({
      ...{ app, repository_id: repository.id, folder, mode, title: examined.title, status: 'building' },
      ...{ url: null, commit: null, tree: null, image: null, error: null, shown: null },
      ...seen,
    })
    // The title stands in Git, and changes with what is told there.
    .onConflict(conflict =>
      conflict.column('app').doUpdateSet(seen).where('notebooks.seen_commit', '!=', commit),
    )
    .execute()
}
