import { posix } from 'node:path'
import { FairleadError, type Problem } from '#lib/errors.ts'
import { type InstallerFailure, installerFailure, lineNaming } from '#recipes/installer-failure.ts'
import { NOTEBOOK_DEPENDENCY_REFUSED } from './notebook-errors.ts'
import type { Ready } from './notebook-look.ts'

const LONGEST = 300
/** Of a file of which only this counts. */
const PART = /#(?:dependencies|install_requires|Imports)$/
/** What makes them is in another file. */
const MADE = /(?:^|\/)(?:.*\.lock|.*-lock\.\w+|Manifest\.toml)$/

/**
 * The error of a build whose installer said what it did not find: with that, and the line that asks for it. Any other is
 * given as it is.
 */
export function explainBuild(error: unknown, ready: Ready): unknown {
  if (!(error instanceof FairleadError) || error.code !== 'BUILD_FAILED') {
    return error
  }
  const { log } = error.facts ?? {}
  const failure = Array.isArray(log) ? installerFailure(log.map(String)) : undefined
  if (!failure) {
    return error
  }
  const said = failure.message.slice(0, LONGEST)
  const { facts } = error
  return NOTEBOOK_DEPENDENCY_REFUSED(said).with({
    problems: [{ path: failure.name ?? '', message: said, ...placeOf(failure, ready) }],
    ...(facts ? { facts } : {}),
    cause: error,
  })
}

/** The file of the project that asks for it, from the root of the repository. */
function placeOf(
  { name }: InstallerFailure,
  { recipe, source: { texts }, planned: { project } }: Ready,
): Pick<Problem, 'file' | 'line'> {
  const files = recipe.inputs
    .map(path => posix.join(project.folder, path.replace(PART, '')))
    .toSorted((a, b) => Number(MADE.test(a)) - Number(MADE.test(b)))
  for (const file of name === undefined ? [] : files) {
    const line = lineNaming(texts.text(file) ?? '', name ?? '')
    if (line !== undefined) {
      return { file, line }
    }
  }
  return {}
}
