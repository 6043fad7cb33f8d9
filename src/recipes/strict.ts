import { tableIn, textIn } from '#formats/toml.ts'
import { pipListsOf, readTomlFile } from './config-texts.ts'
import { type Diagnostic, Refusal, refusable } from './diagnostic.ts'
import { JULIAS } from './known-versions.ts'
import { isLocalRequirement } from './local-requirement.ts'
import type { ProjectFolder } from './project-folder.ts'
import { type BinderDir, createReading, isPackage, type StrictReading } from './strict-reading.ts'
import { refuseUnknownPython, strictJulia, strictPython, strictR } from './strict-versions.ts'

/** What repo2docker would make of a folder: which of its packs, which versions, which step in which phase. */
export interface StrictFinding {
  readonly pack: StrictPack
  /** No file asked for the pack. */
  readonly default: boolean
  readonly binderDir: BinderDir
  readonly python?: string
  readonly rVersion?: string
  /** A date, or `today-2`. */
  readonly rDate?: string
  readonly julia?: string
  /** Files copied before the rest of the folder. */
  readonly preCopy?: readonly string[]
  /** Whether a step runs before or after the folder is copied. */
  readonly steps?: Readonly<Record<string, 'pre' | 'post'>>
  readonly postBuild?: readonly string[]
  readonly start?: string | null
}

export type StrictPack =
  | 'Docker'
  | 'JuliaProjectToml'
  | 'JuliaRequire'
  | 'Nix'
  | 'R'
  | 'Conda'
  | 'Pipfile'
  | 'Python'

/** The rules of repo2docker as they are, to the letter: what it refuses is refused with the same reason. */
export function detectStrict(folder: ProjectFolder): StrictFinding | { readonly refused: Diagnostic } {
  return refusable(() => find(createReading(folder)))
}

function find(reading: StrictReading): StrictFinding {
  const { binderDir, folder, has, place } = reading
  const chosen = choose(reading)
  const { pack } = chosen
  if (pack === 'Docker') {
    return { ...chosen, binderDir }
  }
  const extras = { binderDir, postBuild: has('postBuild') ? [place('postBuild')] : [] }
  if (pack === 'Nix') {
    const steps = { ...aptStep(reading), nix: 'post' as const }
    return { ...chosen, ...extras, preCopy: [], steps, start: '/usr/local/bin/nix-shell-wrapper' }
  }
  const python = strictPython(reading, pack)
  const versions = {
    python,
    ...(pack === 'R' ? strictR(reading.runtime()) : {}),
    ...(pack === 'JuliaProjectToml' ? { julia: juliaOf(reading) } : {}),
  }
  const apt = aptStep(reading)
  refuseUnknownPython(python)
  const { steps, preCopy } = stepsOf(reading, pack, Number(python.split('.')[1]) < 7 || python === '2.7')
  return {
    ...chosen,
    ...extras,
    ...versions,
    preCopy: preCopy.sort(),
    steps: { ...apt, ...steps },
    start: has('start') ? `\${REPO_DIR}/${place('start')}` : null,
    ...(folder.paths.length === 0 ? { default: true } : {}),
  }
}

function choose(reading: StrictReading): Pick<StrictFinding, 'pack' | 'default'> {
  const { binderDir, folder, has, runtime, environmentPath } = reading
  const asked = (pack: StrictPack) => ({ pack, default: false })
  if (has('Dockerfile')) {
    return asked('Docker')
  }
  if (has('Project.toml') || has('JuliaProject.toml')) {
    return asked('JuliaProjectToml')
  }
  if (has('REQUIRE')) {
    return asked('JuliaRequire')
  }
  if (has('default.nix')) {
    return asked('Nix')
  }
  const wanted = runtime()
  if (
    (wanted?.name === 'r' && wanted.date !== undefined) ||
    (binderDir === '' && folder.has('DESCRIPTION'))
  ) {
    return asked('R')
  }
  if (environmentPath !== undefined) {
    return asked('Conda')
  }
  const isPython = wanted === undefined || wanted.name === 'python'
  if (isPython && (has('Pipfile') || has('Pipfile.lock'))) {
    return asked('Pipfile')
  }
  const isAsked = wanted === undefined ? isPackage(reading) || has('requirements.txt') : isPython
  return { pack: 'Python', default: !isAsked }
}

function juliaOf({ folder, has, place }: StrictReading): string {
  const file = place(has('JuliaProject.toml') ? 'JuliaProject.toml' : 'Project.toml')
  const project = readTomlFile(folder.text(file) ?? '', file, 'JULIA_PROJECT')
  return strictJulia(textIn(tableIn(project, 'compat'), 'julia') ?? '1.6', file, JULIAS)
}

/** The loose check of repo2docker: the beginning of the name counts. */
function aptStep({ folder, has, place }: StrictReading): { 'apt.txt'?: 'pre' } {
  if (!has('apt.txt')) {
    return {}
  }
  for (const [index, line] of (folder.text(place('apt.txt')) ?? '').split('\n').entries()) {
    const name = (line.split('#')[0] ?? '').trim()
    if (name !== '' && !/^[a-z0-9.+-]/.test(name)) {
      throw new Refusal({
        code: 'APT',
        file: place('apt.txt'),
        line: index + 1,
        message: `"${name.slice(0, 60)}" is no name of a package.`,
        hint: 'Write one name of a Debian package per line.',
      })
    }
  }
  return { 'apt.txt': 'pre' }
}

interface Steps {
  readonly steps: Record<string, 'pre' | 'post'>
  readonly preCopy: string[]
}

function stepsOf(reading: StrictReading, pack: StrictPack, hasOwnKernel: boolean): Steps {
  const { binderDir, folder, has, place, environment, environmentPath } = reading
  const found: Steps = { steps: {}, preCopy: [] }
  if (environmentPath !== undefined) {
    const isLocal = pipListsOf(environment()).at(-1)?.some(isLocalRequirement) ?? false
    found.steps.conda = isLocal ? 'post' : 'pre'
    found.preCopy.push(...(isLocal ? [] : [environmentPath]))
  }
  if (pack === 'Pipfile') {
    found.preCopy.push(...['requirements3.txt', 'Pipfile', 'Pipfile.lock'].filter(has).map(place))
    found.steps.pipenv = 'post'
    if (hasOwnKernel && has('requirements3.txt')) {
      found.steps.pip = 'post'
    }
  } else if (pack !== 'Conda') {
    addPip(reading, found, hasOwnKernel)
  }
  if (pack === 'JuliaProjectToml') {
    found.steps.julia = 'post'
  }
  if (pack === 'R' && has('install.R')) {
    found.preCopy.push(place('install.R'))
    found.steps.installR = 'pre'
  }
  if (pack === 'R' && binderDir === '' && folder.has('DESCRIPTION')) {
    found.steps.rDesc = 'post'
  }
  return found
}

function addPip(reading: StrictReading, { steps, preCopy }: Steps, hasOwnKernel: boolean): void {
  const { folder, has, place } = reading
  const files = ['requirements.txt', 'requirements3.txt'].filter(has).map(place)
  preCopy.push(...files)
  const isLocal =
    isPackage(reading) || files.some(file => linesOf(folder.text(file)).some(isLocalRequirement))
  if (has('requirements.txt') || (hasOwnKernel && has('requirements3.txt'))) {
    steps.pip = isLocal ? 'post' : 'pre'
  }
  if (isPackage(reading)) {
    steps.pipPkg = 'post'
  }
}

function linesOf(text: string | undefined): string[] {
  return (text ?? '').split('\n')
}
