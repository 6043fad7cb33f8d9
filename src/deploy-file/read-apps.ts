import type { Problem } from '#lib/errors.ts'
import type { Convention } from './convention.ts'
import { readConvention } from './convention-apps.ts'
import { detectApps, type Tree } from './conventions.ts'
import { parseDeployFile, type ReadApp } from './parse.ts'

export type { ReadApp } from './parse.ts'

export interface ReadApps {
  /** Empty when there are problems, and when nothing in the checkout can be deployed. */
  readonly apps: readonly ReadApp[]
  readonly problems: readonly Problem[]
  readonly source: 'fairlead.yaml' | 'convention'
  /** What the names of its files describe, when they are config as code: then one broken app does not harm the others. */
  readonly convention?: Convention
}

const AT_ROOT = ['fairlead.yaml', 'fairlead.yml']
const IN_FOLDER = /^\.fairlead\/[^/]+\.ya?ml$/

/** The deploy files of a checkout: one at its root, or any number in `.fairlead/`. */
export function deployFilesIn(paths: readonly string[]): string[] {
  return paths.filter(path => AT_ROOT.includes(path) || IN_FOLDER.test(path)).sort()
}

/** What a checkout describes: by its deploy files, or by the names of its files when it has none. */
export function readApps(tree: Tree): ReadApps {
  const files = deployFilesIn(tree.paths)
  if (files.length === 0 || tree.composePath !== undefined) {
    const convention =
      tree.composePath === undefined ? readConvention(tree.paths, tree.texts, tree.targets) : undefined
    return convention
      ? { apps: convention.apps, problems: convention.problems, source: 'convention', convention }
      : { apps: detectApps(tree), problems: [], source: 'convention' }
  }
  const read = files.map(file => ({ file, ...readFile(tree, file) }))
  const problems = [...oneRootFile(files), ...read.flatMap(each => each.problems), ...namedTwice(read)]
  return {
    apps: problems.length > 0 ? [] : read.flatMap(each => each.apps),
    problems,
    source: 'fairlead.yaml',
  }
}

function readFile({ texts, targets }: Tree, file: string): ReturnType<typeof parseDeployFile> {
  const text = Object.hasOwn(texts, file) ? texts[file] : undefined
  if (text === undefined) {
    const message = 'could not be read'
    const expected = 'a text file of at most 256 KiB, no symbolic link'
    return { apps: [], problems: [{ path: '', message, expected, file }] }
  }
  return parseDeployFile(text, file, targets)
}

function oneRootFile(files: readonly string[]): Problem[] {
  const [kept, second] = files.filter(file => AT_ROOT.includes(file))
  return second === undefined
    ? []
    : [{ path: '', message: `is there beside ${kept}`, expected: 'one of the two', file: second }]
}

function namedTwice(
  read: readonly { readonly file: string; readonly apps: readonly ReadApp[] }[],
): Problem[] {
  const first = new Map<string, string>()
  const problems: Problem[] = []
  for (const { file, apps } of read) {
    for (const { name } of apps) {
      const other = first.get(name)
      if (other !== undefined) {
        problems.push({
          path: `apps.${name}`,
          message: `is described in ${other} too`,
          expected: 'each name once',
          file,
        })
      }
      first.set(name, other ?? file)
    }
  }
  return problems
}
