import type { Selectable } from 'kysely'
import type { ReadApp } from '#deploy-file/read-apps.ts'
import type { DeploymentsContext } from '#manager/deployments/request.ts'
import type { DescribedApps } from '#manager/pipeline/described-apps.ts'
import { wishFor } from '#manager/pipeline/wish-for.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { appNamed, type CreatedApps, createMissingApps } from './create-missing.ts'
import { forgetMessageRemovals, takenDown } from './message-removals.ts'

/**
 * Creates the apps that a checkout describes and nobody created yet, unless the message of its commit asks for no new
 * ones or a message took them down.
 */
export async function createDescribedApps(
  context: DeploymentsContext,
  repository: Selectable<RepositoryTable>,
  described: Pick<DescribedApps, 'apps' | 'source'>,
): Promise<CreatedApps> {
  const wanted = await wantedApps(context, repository, described)
  const made = await createMissingApps(
    context,
    repository,
    wanted.filter(({ dryRun }) => !dryRun).map(({ app }) => app),
  )
  await forgetMessageRemovals(context.db, repository.id, made.created)
  return made
}

/** The apps that a dry run would create. */
export async function appsToCreate(
  context: DeploymentsContext,
  repository: Selectable<RepositoryTable>,
  described: Pick<DescribedApps, 'apps' | 'source'>,
): Promise<readonly ReadApp[]> {
  const wanted = await wantedApps(context, repository, described)
  const news = await Promise.all(
    wanted.map(async ({ app, dryRun }) => (dryRun && !(await appNamed(context.db, app.name)) ? [app] : [])),
  )
  return news.flat()
}

async function wantedApps(
  { db }: DeploymentsContext,
  repository: Selectable<RepositoryTable>,
  { apps, source }: Pick<DescribedApps, 'apps' | 'source'>,
) {
  const isTakenDown = await takenDown(db, repository.id)
  return apps
    .map(app => ({ app, ...wishFor(repository, source, app) }))
    .filter(
      ({ app, act }) =>
        act === 'deploy' || (act === 'as-changed' && !isTakenDown({ app, texts: source.texts })),
    )
}
