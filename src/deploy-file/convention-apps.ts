import type { Problem } from '#lib/errors.ts'
import type { Target } from '#targets/target.ts'
import type { Candidate, Convention, ConventionEntry, Described, Shelf } from './convention.ts'
import { farComposes, findFar, isOwn } from './convention-far.ts'
import { type ConventionFile, conventionFiles, isOptionsFile } from './convention-files.ts'
import { describeImage } from './convention-image.ts'
import { partsForCertain, partsOfOthers } from './convention-parts.ts'
import { describeStack } from './convention-stack.ts'
import { appNameOf } from './conventions.ts'
import type { ReadApp } from './parse.ts'

/** More would hide the first ones. */
const MAX_PROBLEMS = 100
const LONGEST_APP = 40
const PLAIN = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml', 'Dockerfile']

/** Files whose texts decide what the tree describes; none when it is no config as code. */
export function conventionTexts(paths: readonly string[]): string[] {
  const files = conventionFiles(paths.filter(isOwn))
  const options = paths.filter(isOptionsFile)
  const own = files.filter(({ kind }) => kind !== 'dockerfile').map(({ path }) => path)
  return isConfigAsCode(files, paths) ? [...own, ...farComposes(paths), ...options] : []
}

/** Undefined when no target deploys what such files describe, or the tree is no config as code. */
export function readConvention(
  paths: readonly string[],
  texts: Readonly<Record<string, string>>,
  targets: readonly Target[],
): Convention | undefined {
  const files = conventionFiles(paths.filter(isOwn))
  if (!isConfigAsCode(files, paths) || !['image', 'stack'].every(name => isKnown(targets, name))) {
    return undefined
  }
  const doubled = findDoubles(files)
  const shelf = shelve(files, { paths, texts, doubled })
  const all = [...imageCandidates(files, shelf), ...stackCandidates(files, shelf)]
  const entries = new Map<string, ConventionEntry>()
  const apps: ReadApp[] = []
  for (const [name, candidates] of groupBy(all, appOf)) {
    const described = describe(name, candidates, shelf)
    entries.set(name, {
      state: described.state,
      kind: candidates.some(({ kind }) => kind === 'stack') ? 'stack' : 'image',
      problems: described.state === 'broken' ? described.problems : [],
      ...(described.state === 'broken' ? { composes: described.composes } : {}),
    })
    if (described.state === 'described') {
      apps.push({ name, ...described.app })
    }
  }
  const isSound = (file: ConventionFile) =>
    ['described', 'disabled'].includes(entries.get(stackApp(file.name, file.suffix))?.state ?? '')
  const parts = partsForCertain(files, shelf, isSound).map(file => stackApp(file.name, file.suffix))
  for (const name of parts.filter(each => !entries.has(each))) {
    entries.set(name, { state: 'part', kind: 'stack', problems: [] })
  }
  const problems = [...doubled.problems, ...[...entries.values()].flatMap(entry => entry.problems)]
  return { apps, problems: distinct(problems).slice(0, MAX_PROBLEMS), entries }
}

/** Names of the apps that files of the tree are about, whether or not the tree counts as config as code. */
export function claimedApps(paths: readonly string[]): ReadonlySet<string> {
  const files = conventionFiles(paths.filter(isOwn))
  const stacks = files.filter(
    ({ kind, early }) => STACK_KINDS.includes(kind) || (kind === 'compose' && early),
  )
  const images = files.filter(({ kind }) => kind === 'image' || kind === 'dockerfile')
  return new Set([
    ...stacks.map(file => stackApp(file.name, file.suffix)),
    ...images.map(file => appOf({ kind: 'image', name: file.name })),
  ])
}

const STACK_KINDS: readonly ConventionFile['kind'][] = ['stack', 'instance', 'simple-instance']

/** A Dockerfile or Compose file at the root is the app, as ever, when nothing but names in the early spelling speaks. */
export function isConfigAsCode(files: readonly ConventionFile[], paths: readonly string[]): boolean {
  const has = (kind: ConventionFile['kind'], name: string) =>
    files.some(file => file.kind === kind && file.name === name)
  const isPlain = PLAIN.some(path => paths.includes(path))
  return files.some(({ kind, name, early, remote }) => {
    switch (kind) {
      case 'instance':
      case 'simple-instance':
        return true
      case 'image':
        return remote || has('dockerfile', name)
      case 'stack':
        return has('compose', name)
      case 'compose':
      case 'dockerfile':
        return early && !isPlain
      default:
        return false
    }
  })
}

function isKnown(targets: readonly Target[], wanted: string): boolean {
  return targets.some(({ name }) => name === wanted)
}

interface Doubles {
  readonly paths: ReadonlySet<string>
  readonly problems: readonly Problem[]
}

interface Tree {
  readonly paths: readonly string[]
  readonly texts: Readonly<Record<string, string>>
  readonly doubled: Doubles
}

function findDoubles(files: readonly ConventionFile[]): Doubles {
  const instances = (kind: ConventionFile['kind']) => (kind === 'simple-instance' ? 'instance' : kind)
  const groups = groupBy(files, file => `${instances(file.kind)} ${file.name} ${file.suffix ?? ''}`)
  const doubled = [...groups.values()].filter(group => group.length > 1)
  return {
    paths: new Set(doubled.flat().map(({ path }) => path)),
    problems: doubled.flatMap(group => doubleProblems(group.map(({ path }) => path))),
  }
}

function doubleProblems(paths: readonly string[]): Problem[] {
  return paths.map(path => ({
    path: '',
    message: `has the name of ${paths.filter(other => other !== path).join(', ')}`,
    expected: 'each name once, wherever in the tree: none of them is used',
    file: path,
  }))
}

function shelve(files: readonly ConventionFile[], { paths, texts, doubled }: Tree): Shelf {
  const doubles = doubled.paths
  const byName = new Map(
    files.filter(({ path }) => !doubles.has(path)).map(file => [`${file.kind} ${file.name}`, file]),
  )
  const only: Shelf['only'] = (kind, name) => byName.get(`${kind} ${name}`)
  return { texts, paths: new Set(paths), doubles, images: new Map(), only, far: findFar(paths, only) }
}

/** A Dockerfile alone is an image only in the early spelling: `Dockerfile.dev` is found in many a repository. */
function imageCandidates(files: readonly ConventionFile[], shelf: Shelf): Candidate[] {
  const configs = files.filter(({ kind }) => kind === 'image')
  const named = new Set(configs.map(({ name }) => name))
  const alone = files.filter(({ kind, early, name }) => kind === 'dockerfile' && early && !named.has(name))
  return [...configs, ...alone]
    .map(file => ({ kind: 'image' as const, name: file.name, file }))
    .filter(candidate => isTold(candidate, shelf))
}

function stackCandidates(files: readonly ConventionFile[], shelf: Shelf): Candidate[] {
  const configured = files.filter(({ kind }) => STACK_KINDS.includes(kind))
  const parts = partsOfOthers(files, shelf.texts)
  const alone = files.filter(
    ({ kind, early, name, path }) =>
      kind === 'compose' && early && !parts.has(name) && !shelf.doubles.has(path),
  )
  return [...configured, ...alone].map(file => ({
    kind: 'stack',
    name: file.name,
    suffix: file.suffix,
    file,
  }))
}

/** Of an image that is there twice, its other file says the same. */
function isTold({ file, name }: Candidate, shelf: Shelf): boolean {
  return file.kind === 'image' || !shelf.doubles.has(file.path) || shelf.only('image', name) === undefined
}

/** The name of the app of a stack. */
export function stackApp(stack: string, engine: string | undefined): string {
  return appOf({ kind: 'stack', name: stack, suffix: engine })
}

/** The name of the app: of the stack with the engine that it is for, or of the image. */
function appOf({ kind, name, suffix }: Omit<Candidate, 'file'>): string {
  const whole = [...(kind === 'image' ? ['image'] : []), name, ...(suffix === undefined ? [] : [suffix])]
  return appNameOf(whole.join('-').replaceAll('_', '-'))
}

function describe(name: string, candidates: readonly Candidate[], shelf: Shelf): Described {
  const [candidate, ...others] = candidates
  if (!candidate || others.length > 0 || shelf.doubles.has(candidate.file.path)) {
    return { state: 'broken', problems: doubleProblems(candidates.map(({ file }) => file.path)) }
  }
  if (candidate.name.length + (candidate.suffix?.length ?? 0) + 6 > LONGEST_APP) {
    return broken(candidate.file, 'has a long name', `at most ${LONGEST_APP - 7} letters with the suffix`)
  }
  return candidate.kind === 'image' ? describeImage(candidate, name, shelf) : describeStack(candidate, shelf)
}

function broken({ path: file }: ConventionFile, message: string, expected: string): Described {
  return { state: 'broken', problems: [{ path: '', message, expected, file }] }
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  return Map.groupBy(items, keyOf)
}

function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map(problem => [JSON.stringify(problem), problem])).values()]
}
