import { newId } from '#lib/id.ts'
import type { DeploymentsContext } from '#manager/deployments/request.ts'
import { notePins } from '#manager/releases/pins.ts'
import type { NewRelease } from '#manager/releases/store-release.ts'
import { targetNamed } from '#targets/index.ts'

/** Writes down what a release made for others to fetch. Bringing an earlier one back makes nothing. */
export async function noteArtifact(
  { db, clock }: Pick<DeploymentsContext, 'db' | 'clock'>,
  { deployment, draft }: NewRelease,
): Promise<void> {
  const made = targetNamed(draft.target)?.artifact?.(draft)
  if (!made || draft.origin !== undefined) {
    return
  }
  const id = newId()
  await db
    .insertInto('artifacts')
    .values({
      id,
      app: deployment.app,
      repository_id: eb =>
        eb.selectFrom('apps').select('apps.repository_id').where('apps.id', '=', deployment.appId),
      deployment_id: deployment.id,
      service_name: made.serviceName,
      version: made.version,
      image: made.image,
      image_id: made.imageId ?? null,
      references: JSON.stringify(made.references),
      bytes: made.bytes ?? null,
      commit: draft.commit,
      created_at: clock.now(),
    })
    .execute()
  await notePins(db, { artifact_id: id }, [made.image, made.imageId, made.references])
}
