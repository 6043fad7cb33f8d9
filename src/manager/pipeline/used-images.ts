import type { AppFiles } from '#deploy-file/convention.ts'
import { USED_IMAGE_FAILED } from './errors.ts'
import type { StepContext } from './step.ts'

/**
 * Refuses a stack that runs an image of the same repository which could not be built: it would run what was built before
 * and say that it is this commit. The queue starts it only after the images.
 */
export async function refuseFailedImages(
  { parts: { db }, app, repository }: StepContext,
  files: AppFiles | undefined,
): Promise<void> {
  for (const image of files?.uses ?? []) {
    const last = await db
      .selectFrom('deployments')
      .innerJoin('apps', 'apps.id', 'deployments.app_id')
      .select(['deployments.id', 'deployments.state'])
      .where('apps.repository_id', '=', repository?.id ?? '')
      .where('apps.entry', '=', image)
      .where('deployments.state', '!=', 'superseded')
      .orderBy('deployments.id', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (last?.state === 'failed' || last?.state === 'cancelled') {
      throw USED_IMAGE_FAILED(app.name, image, last.id)
    }
  }
}
