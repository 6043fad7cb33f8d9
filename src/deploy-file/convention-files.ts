/** What a file is, by its name alone. Where in the tree it lies says nothing. */
export interface ConventionFile {
  readonly kind: ConventionKind
  readonly path: string
  /** Of the resource: the compose, image, definition or remote repository, or the stack that is deployed. */
  readonly name: string
  /** Instances only: the definition, or the compose. */
  readonly of?: string
  /** Instances only: the engine that it is for. */
  readonly suffix?: string
  /** The first spelling, with a dash: a Compose file is a stack by itself, a Dockerfile an image. */
  readonly early: boolean
  /** Its Docker files, or its code, come from another repository. */
  readonly remote: boolean
}

export type ConventionKind =
  | 'compose'
  | 'dockerfile'
  | 'image'
  | 'stack'
  | 'definition'
  | 'instance'
  | 'simple-instance'
  | 'repo'

const NAME = '[a-zA-Z0-9_-]+'
/** The first spelling allowed dots. */
const EARLY_NAME = `${NAME}(?:\\.${NAME})*`
const REMOTE = '(?<remote>remote-repo\\.)?'
const INSTANCE = `(?<of>${NAME})\\.(?<name>${NAME})(?:\\.(?<suffix>${NAME}))?\\.json`

const FORMS: readonly (readonly [ConventionKind, 'early' | 'dotted', RegExp])[] = [
  ['compose', 'dotted', form(`docker-compose\\.(?<name>${NAME})\\.(?:ya?ml|json)`)],
  ['compose', 'early', form(`docker-compose-(?<name>${EARLY_NAME})\\.(?:ya?ml|json)`)],
  ['dockerfile', 'dotted', form(`Dockerfile\\.(?!dockerignore$)(?<name>${NAME})`)],
  ['dockerfile', 'early', form(`Dockerfile-(?<name>${NAME})`)],
  ['image', 'dotted', form(`image\\.${REMOTE}(?<name>${NAME})\\.json`)],
  ['image', 'early', form(`image-(?<name>${NAME})\\.json`)],
  ['definition', 'dotted', form(`stack-definition\\.${REMOTE}(?<name>${NAME})\\.json`)],
  ['instance', 'dotted', form(`stack-instance\\.${INSTANCE}`)],
  ['simple-instance', 'dotted', form(`simple-stack-instance\\.${REMOTE}${INSTANCE}`)],
  ['repo', 'dotted', form(`repo\\.(?<name>${NAME})\\.json`)],
  ['stack', 'early', form(`stack-(?<name>${EARLY_NAME})\\.json`)],
]

/** Names of the newer forms that `stack-<stack>.json` would fit too: without their names they are nothing. */
const NO_STACK = /^stack-(?:definition|instance)\./

/** Not a stack of that name in the first spelling. */
const OPTIONS_FILE = /^(?:stack-definition|docker-compose)[.-][a-zA-Z0-9_-]+\.schema\.json$/

/** Whether a file describes the options of the definition beside it. */
export function isOptionsFile(path: string): boolean {
  return OPTIONS_FILE.test(path.slice(path.lastIndexOf('/') + 1))
}

/** Where the options of a definition, or of a Compose file, are described if they are. */
export function optionsFileOf(path: string): string {
  return `${path.replace(/\.(?:json|ya?ml)$/, '')}.schema.json`
}

/** What the conventions say about a path; undefined for a file that they do not know. */
export function conventionFile(path: string): ConventionFile | undefined {
  const base = path.slice(path.lastIndexOf('/') + 1)
  if (OPTIONS_FILE.test(base)) {
    return undefined
  }
  for (const [kind, spelling, pattern] of FORMS) {
    const groups = pattern.exec(base)?.groups
    if (groups?.name === undefined || (kind === 'stack' && NO_STACK.test(base))) {
      continue
    }
    const { name, of, suffix, remote } = groups
    return {
      kind,
      path,
      name,
      ...(of === undefined ? {} : { of }),
      ...(suffix === undefined ? {} : { suffix }),
      early: spelling === 'early',
      remote: remote !== undefined,
    }
  }
  return undefined
}

/** The files of a tree that the conventions know, in an order that does not depend on the tree's. */
export function conventionFiles(paths: readonly string[]): ConventionFile[] {
  return paths
    .flatMap(path => conventionFile(path) ?? [])
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

function form(text: string): RegExp {
  return new RegExp(`^${text}$`)
}
