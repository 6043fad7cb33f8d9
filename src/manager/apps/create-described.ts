import type { Selectable } from 'kysely'
import type { DeploymentsContext } from '#manager/deployments/request.ts'
import type { DescribedApps } from '#manager/pipeline/described-apps.ts'
import { wishFor } from '#manager/pipeline/wish-for.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { type CreatedApps, createMissingApps } from './create-missing.ts'
import { forgetMessageRemovals, takenDown } from './message-removals.ts'

/**
 * Creates the apps that a checkout describes and nobody created yet, unless the message of its commit asks for no new
 * ones or a message took them down.
 */
export async function createDescribedApps(
  context: DeploymentsContext,
  repository: Selectable<RepositoryTable>,
  { apps, source }: Pick<DescribedApps, 'apps' | 'source'>,
): Promise<CreatedApps> {
  const isTakenDown = await takenDown(context.db, repository.id)
  const wanted = apps.filter(app => {
    const { dryRun, act } = wishFor(repository, source, app)
    const isUsual = act === 'as-changed' && !isTakenDown({ app, texts: source.texts })
    return !dryRun && (act === 'deploy' || isUsual)
  })
  const made = await createMissingApps(context, repository, wanted)
  await forgetMessageRemovals(context.db, repository.id, made.created)
  return made
}
