import { type Cache, DEPENDENCIES, type Recipe, type RunStep, type Stage, type Step } from './recipe.ts'

/**
 * What builds the image. `buildkit` is written with what Docker 20.10 brings itself, so newer engines read it too: no
 * `# syntax` line, which asks Docker Hub, no here-document, no `COPY --link`. `classic` is the builder without BuildKit.
 */
export type BuildLevel = 'classic' | 'buildkit'

/**
 * The Dockerfile of a recipe; `environment` is the stage that all projects with the same needs share. Its context has
 * `deps/` as the recipe says and the project's files in `src/`. No text of a repository becomes a part of it but names
 * of Debian packages and values of variables, both quoted.
 */
export function renderRecipe(recipe: Recipe, level: BuildLevel, caches?: string): string {
  return `${renderEnvironment(recipe, level, caches)}\n${renderProject(recipe, level, caches)}`
}

/**
 * The first stage: the base image and what is executed before the project's files are there. `caches` names whose folders
 * later builds find again: what runs in a build can write to them, so nobody else may take anything from there.
 */
export function renderEnvironment(
  { base, apt, environment }: Recipe,
  level: BuildLevel,
  caches?: string,
): string {
  const packages = apt.length > 0 ? ['USER 0', ...aptLines(apt, level, caches)] : []
  return textOf([
    `FROM ${base} AS environment`,
    ...packages,
    'USER 1000:1000',
    ...stageLines(environment, level, caches),
  ])
}

/** The second stage: the project's files, and what is executed when they are there. */
export function renderProject({ content, project }: Recipe, level: BuildLevel, caches?: string): string {
  return textOf([
    'FROM environment',
    `COPY --chown=1000:1000 src/ ${content.destination}/`,
    `WORKDIR ${content.destination}`,
    ...stageLines(project, level, caches),
  ])
}

function textOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}

const APT_CACHES = { 'nb-apt-cache': '/var/cache/apt', 'nb-apt-lists': '/var/lib/apt/lists' } as const

function aptLines(packages: readonly string[], level: BuildLevel, owner: string | undefined): string[] {
  const install = `DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${packages.map(word).join(' ')}`
  const caches = Object.entries(APT_CACHES).map(
    ([id, target]) => `--mount=type=cache,id=${owned(id, owner)},target=${target},sharing=locked`,
  )
  return level === 'buildkit'
    ? [continued('RUN', [...caches, `apt-get update -qq && ${install}`])]
    : [`RUN apt-get update -qq && ${install} && rm -rf /var/lib/apt/lists/* /var/cache/apt/*`]
}

function owned(id: string, owner: string | undefined): string {
  return owner === undefined ? id : `${id}-${owner}`
}

function stageLines(
  { variables, lateVariables, path, steps }: Stage,
  level: BuildLevel,
  caches: string | undefined,
): string[] {
  return [
    ...variableLines(variables),
    ...(path.length > 0 ? [`ENV PATH="${path.join(':')}:\${PATH}"`] : []),
    ...steps.flatMap(step => stepLines(step, level, caches)),
    ...variableLines(lateVariables),
  ]
}

function variableLines(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `ENV ${name}=${quoted(value)}`)
}

function stepLines(step: Step, level: BuildLevel, caches: string | undefined): string[] {
  if (step.kind === 'copy') {
    return [`COPY --chown=1000:1000 deps/${step.from}/ ${step.to}/`]
  }
  return level === 'buildkit' ? [mounted(step, caches)] : copied(step)
}

function mounted(step: RunStep, owner: string | undefined): string {
  const { cache, sees } = step
  const mounts = [
    ...(sees === undefined ? [] : [`--mount=type=bind,source=deps/${sees},target=${DEPENDENCIES}`]),
    ...(cache ? [cacheMount(cache, owner)] : []),
  ]
  const variables = { ...step.variables, ...(cache ? { [cache.variable]: cache.folder } : {}) }
  return continued('RUN', [...mounts, programLine(step, variables)])
}

function cacheMount({ id, folder, isLocked }: Cache, owner: string | undefined): string {
  return `--mount=type=cache,id=${owned(id, owner)},target=${folder},uid=1000,gid=1000${isLocked ? ',sharing=locked' : ''}`
}

/** Without mounts: the folder is copied, used and removed. */
function copied(step: RunStep): string[] {
  const { cache, sees } = step
  const variables = { ...step.variables, ...cache?.without }
  const temporary = [
    ...(sees === undefined ? [] : [DEPENDENCIES]),
    ...Object.values(cache?.without ?? {}).filter(isFolder),
  ]
  const cleaned = temporary.length > 0 ? ` && rm -rf ${temporary.join(' ')}` : ''
  return [
    ...(sees === undefined ? [] : [`COPY --chown=1000:1000 deps/${sees}/ ${DEPENDENCIES}/`]),
    `RUN ${programLine(step, variables)}${cleaned}`,
  ]
}

function isFolder(value: string): boolean {
  return value.startsWith('/')
}

function programLine(
  { arguments: words, folder }: RunStep,
  variables: Readonly<Record<string, string>>,
): string {
  const set = Object.entries(variables)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${word(value)}`)
  const entered = folder === undefined ? '' : `cd ${word(folder)} && `
  return `${entered}${[...set, ...words.map(word)].join(' ')}`
}

function continued(instruction: string, parts: readonly string[]): string {
  return `${instruction} ${parts.join(' \\\n    ')}`
}

/** One word of a command. Nothing that could end the line, continue it or the word gets this far: this is the last guard. */
function word(text: string): string {
  if (!/^[\x20-\x5b\x5d-\x7e]+$/.test(text)) {
    throw new Error(`A recipe cannot hold the word ${JSON.stringify(text)}.`)
  }
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`
}

/** A value of ENV, where `$` would mean a variable and a line end another instruction. */
function quoted(value: string): string {
  if (/[\0\r\n]/.test(value)) {
    throw new Error(`A recipe cannot hold the value ${JSON.stringify(value)}.`)
  }
  return `"${value.replace(/[\\"$]/g, sign => `\\${sign}`)}"`
}
