import type { Selectable } from 'kysely'
import { notebookScan } from '#commands/notebook-scan.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import { newId } from '#lib/id.ts'
import type { Source } from '#manager/pipeline/source.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import type { FoundProjects } from '#targets/notebook-project.ts'
import { remember } from './remember.ts'
import { givenSlugs } from './slugs.ts'

/** A push asks for each of its projects, and all of them at the same commit. */
const MOST_SCANS = 20
const WAIT_MS = 20_000

/** The notebook projects of a commit that is in the worker's mirror; asked once, whoever wants to know. */
export async function scanProjects(
  { agents, db }: Pick<PipelineParts, 'agents' | 'db'>,
  { id, host, name }: Pick<Selectable<RepositoryTable>, 'id' | 'host' | 'name'>,
  { commit }: Pick<Source, 'commit'>,
): Promise<FoundProjects> {
  const given = await givenSlugs(db, id)
  const key = canonicalJson([host, id, name, commit, given])
  return await remember(agents, { kind: 'scan', key, most: MOST_SCANS }, async () => {
    const { name: command, deadlineMs } = notebookScan
    const params = { repository: id, commit, repositoryName: name, given }
    const found = await agents.tell(host, { id: newId(), command, params, deadlineMs, waitMs: WAIT_MS })
    return found as FoundProjects
  })
}
