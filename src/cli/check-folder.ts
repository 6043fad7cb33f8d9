import { conventionTexts } from '#deploy-file/convention-apps.ts'
import { deployFilesIn, type ReadApp, readApps } from '#deploy-file/read-apps.ts'
import { asFairleadError, type Problem } from '#lib/errors.ts'
import { TARGETS, targetNamed } from '#targets/index.ts'
import { type DeployFolder, textsOf } from './deploy-folder.ts'

export interface CheckedFolder {
  readonly source: 'fairlead.yaml' | 'convention'
  readonly apps: readonly ReadApp[]
  readonly problems: readonly Problem[]
}

/** File names that the conventions look into. */
const CONVENTIONAL = [
  'compose.yaml',
  'compose.yml',
  'docker-compose.yaml',
  'docker-compose.yml',
  'Dockerfile',
]

/** What a manager would find out about a folder before it asks a worker anything. */
export function checkFolder(folder: DeployFolder): CheckedFolder {
  const texts = textsOf(folder, [
    ...deployFilesIn(folder.paths),
    ...CONVENTIONAL,
    ...conventionTexts(folder.paths),
  ])
  const read = readApps({ paths: folder.paths, texts, repositoryName: folder.name, targets: TARGETS })
  const isWhole = read.problems.length === 0 || read.convention !== undefined
  const ofApps = isWhole ? read.apps.flatMap(app => problemsOfApp(folder, app)) : []
  return { source: read.source, apps: read.apps, problems: [...read.problems, ...ofApps] }
}

function problemsOfApp(folder: DeployFolder, app: ReadApp): Problem[] {
  const target = targetNamed(app.target)
  if (!target) {
    return []
  }
  const wanted = target.reads(app.settings as never)
  const missing = wanted.filter(path => !folder.paths.includes(path))
  if (missing.length > 0) {
    return missing.map(path => ({
      ...placeOf(folder, app),
      message: `needs ${path}, which is not there`,
      expected: 'a path from the root of the repository',
    }))
  }
  try {
    target.look({
      app: { name: app.name, baseDomain: 'localhost' },
      settings: app.settings as never,
      deployment: '',
      source: { commit: '', branch: '', repository: '', texts: textsOf(folder, wanted), paths: folder.paths },
      found: {},
      registry: undefined,
      secrets: {},
      previous: undefined,
    })
    return []
  } catch (thrown) {
    return problemsOfRefusal(folder, app, thrown)
  }
}

/** Which secrets have values only the manager knows. */
function problemsOfRefusal(folder: DeployFolder, app: ReadApp, thrown: unknown): Problem[] {
  const error = asFairleadError(thrown)
  if (error.code === 'SECRET_MISSING') {
    return []
  }
  if (error.code === 'INTERNAL') {
    throw thrown
  }
  return [...(error.problems ?? [{ ...placeOf(folder, app), message: error.message }])]
}

function placeOf(folder: DeployFolder, app: ReadApp): { path: string; file?: string; line?: number } {
  const [own] = app.files?.paths ?? []
  if (own !== undefined) {
    return { path: '', file: own }
  }
  const key = new RegExp(`^\\s+["']?${app.name}["']?\\s*:`)
  for (const file of deployFilesIn(folder.paths)) {
    const line = (folder.text(file) ?? '').split('\n').findIndex(text => key.test(text))
    if (line >= 0) {
      return { path: `apps.${app.name}`, file, line: line + 1 }
    }
  }
  return { path: `apps.${app.name}` }
}
