import type { Selectable } from 'kysely'
import type { Convention } from '#deploy-file/convention.ts'
import { claimedApps, conventionTexts } from '#deploy-file/convention-apps.ts'
import { namesNotebooks } from '#deploy-file/notebook-apps.ts'
import { deployFilesIn, type ReadApp, readApps } from '#deploy-file/read-apps.ts'
import type { FairleadError, Problem } from '#lib/errors.ts'
import type { AppTable, RepositoryTable } from '#manager/store/tables.ts'
import { TARGETS } from '#targets/index.ts'
import type { FoundProject, FoundProjects } from '#targets/notebook-project.ts'
import { filesOf } from '#targets/target.ts'
import {
  APP_NOT_IN_REPOSITORY,
  APP_SWITCHED_OFF,
  COMPOSE_PATH_NOT_FOUND,
  DEPLOY_FILE_INVALID,
  NOTHING_TO_DEPLOY,
} from './errors.ts'
import { expandOnce } from './expand-once.ts'
import type { Ask, Source } from './source.ts'

export interface DescribedApps {
  readonly apps: readonly ReadApp[]
  /** With the texts of all files that describe them. */
  readonly source: Source
  /** What the names of the files say, when no deploy file does. */
  readonly convention: Convention | undefined
  /** Nothing but the names of its files says what is deployed, whether or not they say anything. */
  readonly byNames: boolean
  /** Names of the apps that are notebook projects; undefined: nobody looked for any. */
  readonly notebooks?: ReadonlySet<string>
  /** By name: what is wrong with the project of an app, of which nothing else is said. */
  readonly broken?: ReadonlyMap<string, readonly Problem[]>
  /** Projects without a server, and the scan that found them. */
  readonly shown?: { readonly projects: readonly FoundProject[]; readonly scan: FoundProjects }
}

/** Finds the notebook projects of a commit. */
export type Scan = (source: Source) => Promise<FoundProjects>

type Repository = Pick<Selectable<RepositoryTable>, 'name' | 'compose_path'>

/** As many paths as one question may name. */
const MOST_TEXTS = 100

/**
 * Every app that a checkout describes: the Compose file that the repository was registered with, else what the deploy
 * file says, else what the names of the files say. A deploy file that is wrong is an error; of files that describe an app
 * each by themselves, those that are right count.
 */
export async function describedApps(
  ask: Ask,
  checkout: Source,
  repository: Repository,
  scan?: Scan,
): Promise<DescribedApps> {
  const composePath = repository.compose_path ?? undefined
  if (composePath !== undefined && !Object.hasOwn(checkout.texts, composePath)) {
    throw COMPOSE_PATH_NOT_FOUND(composePath, checkout.commit)
  }
  const byNames = composePath === undefined && deployFilesIn(checkout.paths).length === 0
  const source = byNames ? await withTexts(ask, checkout, conventionTexts(checkout.paths)) : checkout
  const { texts, paths } = source
  const read = readApps({ texts, paths, repositoryName: repository.name, composePath, targets: TARGETS })
  if (!read.convention && read.problems.length > 0) {
    throw invalid(read.problems)
  }
  const described = { apps: read.apps, source, convention: read.convention, byNames }
  return scan ? await withNotebooks(described, scan) : described
}

/** Notebook projects are asked for where a deploy file names some, or where nothing else is found. */
async function withNotebooks(described: DescribedApps, scan: Scan): Promise<DescribedApps> {
  const { apps, source, convention, byNames } = described
  const isNamed = !byNames && namesNotebooks(apps)
  if (!isNamed && (!byNames || apps.length > 0 || convention)) {
    return described
  }
  const mayHold = isNamed || source.truncated === true || source.paths.some(path => path.endsWith('.ipynb'))
  const found = mayHold ? await scan(source) : { projects: [], problems: [], notes: [] }
  if (found.problems.length > 0) {
    throw invalid(found.problems)
  }
  const expanded = expandOnce(found, isNamed ? apps : undefined)
  if (expanded.problems.length > 0) {
    throw invalid(expanded.problems)
  }
  const { broken, shown } = expanded
  const served = expanded.apps.filter(({ target }) => target === 'notebook').map(({ name }) => name)
  return {
    ...{ ...described, apps: expanded.apps, broken, shown: { projects: shown, scan: found } },
    notebooks: new Set([...served, ...broken.keys()]),
  }
}

/** Refuses a checkout in which there is nothing to deploy or to show, for whatever reason. */
export function refuseNothing({ apps, convention, source, shown, broken }: DescribedApps): void {
  if (apps.length + (shown?.projects.length ?? 0) + (broken?.size ?? 0) > 0) {
    return
  }
  if (!convention) {
    throw NOTHING_TO_DEPLOY(source.commit)
  }
  if (convention.problems.length > 0) {
    throw invalid(convention.problems)
  }
}

/** Why there is no such app at this commit. */
export function notDescribed({ convention, source, broken }: DescribedApps, entry: string): FairleadError {
  const wrong = broken?.get(entry)
  if (wrong) {
    return invalid(wrong)
  }
  const found = convention?.entries.get(entry)
  switch (found?.state) {
    case 'broken':
      return invalid(found.problems)
    case 'disabled':
      return APP_SWITCHED_OFF(entry)
    default:
      return APP_NOT_IN_REPOSITORY(entry, source.texts['fairlead.yaml'] ? 'fairlead.yaml' : 'the repository')
  }
}

/**
 * Whether the files that an app came from want it no more: it is switched off, its Compose file has become a part of
 * another stack, or no file of its name is there, wherever in the tree. One that is wrong or there twice wants something, nobody knows what.
 */
export function isUnwanted(
  { convention, source, byNames, notebooks }: DescribedApps,
  { by_files, entry }: Pick<Selectable<AppTable>, 'by_files' | 'entry'>,
): boolean {
  if (by_files === 'notebook') {
    return notebooks !== undefined && !notebooks.has(entry)
  }
  if (by_files === null || !byNames || source.truncated === true) {
    return false
  }
  const state = convention?.entries.get(entry)?.state
  return state === 'disabled' || state === 'part' || !claimedApps(source.paths).has(entry)
}

export function invalid(problems: readonly Problem[]): FairleadError {
  const [first] = problems
  const where = [...(first?.line === undefined ? [] : [`line ${first.line}`]), first?.path]
  const told = where.filter(part => part !== undefined && part !== '').join(', ')
  return DEPLOY_FILE_INVALID(
    first?.file ?? 'fairlead.yaml',
    `${told === '' ? 'it' : `${told}:`} ${first?.message ?? 'is wrong'}`,
  ).with({ problems })
}

/** The checkout with these texts as well; links are left out. */
export async function withTexts(ask: Ask, source: Source, paths: readonly string[]): Promise<Source> {
  const missing = paths.filter(path => !Object.hasOwn(source.texts, path) && !source.links?.includes(path))
  const questions = Array.from({ length: Math.ceil(missing.length / MOST_TEXTS) }, (_, index) =>
    ask({
      key: source.checkout === undefined ? `files-${index}` : `joined-files-${index}`,
      command: 'repository.read',
      data: {
        ...filesOf(source),
        paths: missing.slice(index * MOST_TEXTS, (index + 1) * MOST_TEXTS),
      },
    }),
  )
  const answers = await Promise.all(questions)
  const texts = Object.assign({}, source.texts, ...answers.map(answer => answer.texts as object))
  return missing.length === 0 ? source : { ...source, texts }
}
