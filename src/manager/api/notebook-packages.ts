import type { Kysely } from 'kysely'
import type { NotebookPackages } from '#commands/notebook-packages.ts'
import type { NotebookPackagesDocument } from '#contract/rest/notebooks.ts'
import { NOTEBOOK_NOT_FOUND } from '#manager/notebooks/errors.ts'
import type { Tables } from '#manager/store/tables.ts'
import { releasedNotebook } from '#targets/notebook-release.ts'
import { timeText } from './documents.ts'

/** What the environment of a project's newest release resolved to. */
export async function readPackages(db: Kysely<Tables>, slug: string): Promise<NotebookPackagesDocument> {
  const release = await db
    .selectFrom('releases')
    .innerJoin('apps', 'apps.id', 'releases.app_id')
    .select(['releases.id', 'releases.app_id', 'releases.commit', 'releases.content'])
    .where('apps.name', '=', slug)
    .orderBy('releases.id', 'desc')
    .limit(1)
    .executeTakeFirst()
  const notebook = release && releasedNotebook({ content: JSON.parse(release.content) })
  if (!release || !notebook) {
    throw NOTEBOOK_NOT_FOUND(`"${slug}" that was deployed`)
  }
  const { environment } = notebook
  const row = await db
    .selectFrom('notebook_packages')
    .select('packages')
    .where('app_id', '=', release.app_id)
    .where('environment', '=', environment)
    .executeTakeFirst()
  const packages = row && (JSON.parse(row.packages) as NotebookPackages | null)
  return {
    release: release.id,
    commit: release.commit,
    environment,
    tool: packages?.tool ?? null,
    read_at: packages ? timeText(packages.readAt) : null,
    packages: [...(packages?.lines ?? [])],
    is_cut: packages?.isCut ?? false,
  }
}
