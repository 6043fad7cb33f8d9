import type { Selectable } from 'kysely'
import type { ReadApp } from '#deploy-file/read-apps.ts'
import { refuseStranger } from '#manager/organisations/refuse-stranger.ts'
import { describedApps } from '#manager/pipeline/app-entry.ts'
import { askDirectly } from '#manager/pipeline/plan-app.ts'
import { fetchSource } from '#manager/pipeline/source.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'

export interface RepositoryCheck {
  readonly commit: string
  readonly subject: string
  readonly apps: readonly ReadApp[]
}

/** Can we read it, and which apps would it give? Throws what stands in the way. */
export async function checkRepository(
  parts: PipelineParts,
  repository: Selectable<RepositoryTable>,
): Promise<RepositoryCheck> {
  await refuseStranger(parts, repository)
  const source = await fetchSource(askDirectly(parts, repository.host), repository, { sealer: parts.sealer })
  return { commit: source.commit, subject: source.subject, apps: describedApps(source, repository) }
}
