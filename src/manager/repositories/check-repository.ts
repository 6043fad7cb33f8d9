import type { Selectable } from 'kysely'
import type { ReadApp } from '#deploy-file/read-apps.ts'
import type { Problem } from '#lib/errors.ts'
import { scanProjects } from '#manager/notebooks/scan-projects.ts'
import { refuseStranger } from '#manager/organisations/refuse-stranger.ts'
import { type DescribedApps, describedApps, refuseNothing } from '#manager/pipeline/described-apps.ts'
import { askDirectly } from '#manager/pipeline/plan-app.ts'
import { fetchSource, type Source } from '#manager/pipeline/source.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'

export interface RepositoryCheck {
  readonly source: Source
  readonly apps: readonly ReadApp[]
  readonly shown: DescribedApps['shown']
  readonly notebooks: DescribedApps['notebooks']
  /** What is wrong in files of which each describes an app by itself. */
  readonly problems: readonly Problem[]
}

/** Can we read it, and which apps would it give? Throws what stands in the way. */
export async function checkRepository(
  parts: PipelineParts,
  repository: Selectable<RepositoryTable>,
): Promise<RepositoryCheck> {
  await refuseStranger(parts, repository)
  const ask = askDirectly(parts, repository.host)
  const source = await fetchSource(ask, repository, { sealer: parts.sealer })
  const described = await describedApps(ask, source, repository, from =>
    scanProjects(parts, repository, from),
  )
  refuseNothing(described)
  const { apps, convention, broken, shown, notebooks } = described
  const wrong = [...(broken?.values() ?? [])].flat()
  return {
    source: described.source,
    apps,
    shown,
    notebooks,
    problems: [...(convention?.problems ?? []), ...wrong],
  }
}
