import type { Kysely, Selectable } from 'kysely'
import { conventionTexts } from '#deploy-file/convention-apps.ts'
import { deployFilesIn } from '#deploy-file/read-apps.ts'
import { readStacksAsCode, type StacksAsCode, stackTexts } from '#deploy-file/stack-definitions.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { refuseStranger } from '#manager/organisations/refuse-stranger.ts'
import { withTexts } from '#manager/pipeline/described-apps.ts'
import { askDirectly } from '#manager/pipeline/plan-app.ts'
import { fetchSource, type Source } from '#manager/pipeline/source.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { repositoryNamed } from '#manager/repositories/queries.ts'
import type { RepositoryTable, Tables } from '#manager/store/tables.ts'
import { forgetCode, recentCode } from './code-cache.ts'

export type RepositoryRow = Selectable<RepositoryTable>

/** What a repository says about stacks at the tip of its branch. */
export interface StackCode extends StacksAsCode {
  readonly repository: RepositoryRow
  readonly source: Source
}

export interface StackCodes {
  readonly read: readonly StackCode[]
  readonly unread: readonly { readonly repository: string; readonly error: FairleadError }[]
  /** Names of repositories with more files than are told: what these say may not be all. */
  readonly truncated: readonly string[]
  /** How many more repositories there are. */
  readonly unasked: number
}

/** What is asked, and whether it may be some seconds old. */
export interface CodeQuery {
  readonly repository?: string | undefined
  readonly fresh?: boolean | undefined
}

/** Their Git servers are asked; more are looked at by name. */
const MOST_REPOSITORIES = 50

/** The code of one repository, or of all that may have such; those that cannot be read are told, not thrown. */
export async function readStackCodes(
  parts: PipelineParts,
  { repository: name, fresh = false }: CodeQuery,
): Promise<StackCodes> {
  const all = name === undefined ? await withCode(parts.db) : [await repositoryNamed(parts.db, name)]
  const repositories = all.slice(0, MOST_REPOSITORIES)
  const looks = repositories.map(async repository => {
    try {
      if (fresh) {
        forgetCode(parts, repository.id)
      }
      return { code: await recentCode(parts, repository, () => readStackCode(parts, repository)) }
    } catch (error) {
      if (name !== undefined) {
        throw error
      }
      return { repository: repository.name, error: asFairleadError(error) }
    }
  })
  const looked = await Promise.all(looks)
  const read = looked.flatMap(({ code }) => code ?? [])
  return {
    read,
    truncated: read
      .filter(({ source }) => source.truncated === true)
      .map(({ repository }) => repository.name),
    unasked: all.length - repositories.length,
    unread: looked.flatMap(({ code, ...failed }) => (code ? [] : [failed as StackCodes['unread'][number]])),
  }
}

async function readStackCode(parts: PipelineParts, repository: RepositoryRow): Promise<StackCode> {
  await refuseStranger(parts, repository)
  const ask = askDirectly(parts, repository.host)
  const checkout = await fetchSource(ask, repository, { sealer: parts.sealer })
  const isOther = repository.compose_path !== null || deployFilesIn(checkout.paths).length > 0
  if (isOther) {
    return { repository, source: checkout, definitions: [], stacks: [] }
  }
  const wanted = new Set([...stackTexts(checkout.paths), ...conventionTexts(checkout.paths)])
  const source = await withTexts(ask, checkout, [...wanted])
  return { repository, source, ...readStacksAsCode(source.paths, source.texts) }
}

/** Only the files of those that create apps by themselves make stacks. */
async function withCode(db: Kysely<Tables>): Promise<RepositoryRow[]> {
  return await db
    .selectFrom('repositories')
    .selectAll()
    .where('auto_apps', '=', 1)
    .where('compose_path', 'is', null)
    .where('stopped', 'is', null)
    .orderBy('name')
    .execute()
}
