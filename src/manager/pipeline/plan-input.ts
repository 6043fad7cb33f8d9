import type { Selectable } from 'kysely'
import type { AppTable } from '#manager/store/tables.ts'
import type { PlanInput, ReleaseFacts } from '#targets/target.ts'
import type { PipelineParts } from './step.ts'

/** What the manager itself contributes to a plan: the app, its secrets, the registry, the release before. */
export async function readPlanInput(
  parts: PipelineParts,
  app: Selectable<AppTable>,
  deployment: string,
): Promise<Omit<PlanInput<unknown>, 'settings' | 'source' | 'found'>> {
  const secrets = await parts.db
    .selectFrom('secrets')
    .select(['name', 'value_sealed'])
    .where('app_id', '=', app.id)
    .execute()
  const release = await parts.db
    .selectFrom('releases')
    .selectAll()
    .where('app_id', '=', app.id)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  const previous: ReleaseFacts | undefined = release && {
    id: release.id,
    commit: release.commit,
    configHash: release.config_hash,
    content: JSON.parse(release.content),
  }
  return {
    app: { name: app.name, baseDomain: parts.baseDomain },
    deployment,
    registry: parts.registry,
    secrets: Object.fromEntries(
      secrets.map(row => [row.name, parts.sealer.open(row.value_sealed, `secrets/${app.id}/${row.name}`)]),
    ),
    previous,
  }
}
