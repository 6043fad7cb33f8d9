import { stringify } from 'yaml'
import { dependenciesOf, isMapping, type Mapping, pipListsOf } from './config-texts.ts'
import { Refusal } from './diagnostic.ts'
import { run, type Writing } from './draft.ts'
import { DEPENDENCIES } from './recipe.ts'
import { addRequirementLines, noRequirements } from './requirements.ts'
import { sourceFinding } from './source-findings.ts'
import { ENVIRONMENTS, writePip } from './write-pip.ts'

const CACHE = {
  id: 'nb-conda-pkgs',
  variable: 'CONDA_PKGS_DIRS',
  folder: '/opt/conda-pkgs',
  isLocked: true,
  without: { CONDA_PKGS_DIRS: '/tmp/nb-conda-pkgs' },
}
const PREFIX = ENVIRONMENTS.conda
/** What a project must not set: it decides how the server runs, and from where packages come. */
const RESERVED =
  /^(?:PATH|HOME|USER|SHELL|R_.*|(?:LD|NB|PIP|UV|JULIA)_.*|(?:JUPYTER|CONDA|MAMBA).*|.*_proxy)$/i

/** environment.yml, anaconda-project.yml or conda-lock.yml, in a prefix of its own; its pip packages in a step of their own. */
export function writeConda(writing: Writing): void {
  const { texts, draft } = writing
  const name = texts.condaFile ?? ''
  const file = texts.config.place(name)
  draft.inputs.add(file)
  draft.environment.path.push(`${PREFIX}/bin`)
  draft.environment.variables.JUPYTER_PATH = `${PREFIX}/share/jupyter:${ENVIRONMENTS.python}/share/jupyter`
  if (name === 'conda-lock.yml') {
    writeLock(writing, file)
    return
  }
  const environment = name === 'anaconda-project.yml' ? ofAnaconda(texts.environment()) : texts.environment()
  refuseStrangers(environment, file)
  const pip = pipListsOf(environment).flat()
  const packages = packagesOf(writing, environment, pip.length > 0)
  if (dependenciesOf(environment).length === 0) {
    const hint = 'List packages below "dependencies:".'
    draft.warnings.push({ code: 'ENV_EMPTY', file, message: 'It asks for no package.', hint })
  }
  const channels = channelsOf(writing, environment, file)
  draft.files.push({
    path: 'conda/environment.yml',
    content: stringify({ channels, dependencies: packages }, { lineWidth: 0 }),
  })
  const arguments_ = ['micromamba', 'create', '-y', '-p', PREFIX, '-f', `${DEPENDENCIES}/environment.yml`]
  draft.environment.steps.push(run('install conda packages', arguments_, { sees: 'conda', cache: CACHE }))
  writeVariables(writing, environment, file)
  const found = noRequirements()
  addRequirementLines(
    { folder: writing.folder, allowed: writing.allowed, found },
    { file, lines: pip.map(text => ({ text: text.replace(/\s#.*$/, '').trim(), line: 0 })) },
  )
  writePip(writing, found, PREFIX)
}

/** Exact packages for each system; the kernel is added where they have none. */
function writeLock({ texts, draft }: Writing, file: string): void {
  const content = texts.config.text('conda-lock.yml')
  draft.files.push({ path: 'conda/conda-lock.yml', content })
  const create = ['micromamba', 'create', '-y', '-p', PREFIX, '-f', `${DEPENDENCIES}/conda-lock.yml`]
  draft.environment.steps.push(run('install conda packages', create, { sees: 'conda', cache: CACHE }))
  if (!/^[ \t]*(?:-[ \t]+)?name:[ \t]*ipykernel[ \t]*$/m.test(content)) {
    const add = ['micromamba', 'install', '-y', '-p', PREFIX, '-c', 'conda-forge', 'ipykernel']
    draft.environment.steps.push(run('install the kernel', add, { cache: CACHE }))
    const hint = 'Add ipykernel to the environment and lock it again.'
    draft.warnings.push({ code: 'NO_KERNEL', file, message: 'It has no kernel; the newest is added.', hint })
  }
}

function ofAnaconda(project: Mapping): Mapping {
  const specs = isMapping(project.env_specs) ? Object.values(project.env_specs) : []
  const [spec] = specs.filter(isMapping)
  const lists = (key: string) =>
    [project, spec ?? {}].flatMap(each => (Array.isArray(each[key]) ? each[key] : []))
  return { channels: lists('channels'), dependencies: [...lists('packages'), ...lists('dependencies')] }
}

function refuseStrangers(environment: Mapping, file: string): void {
  const { dependencies } = environment
  const stranger = dependenciesOf(environment).find(
    each => typeof each !== 'string' && !(isMapping(each) && Array.isArray(each.pip)) && each !== null,
  )
  if (
    stranger !== undefined ||
    (dependencies !== undefined && dependencies !== null && !Array.isArray(dependencies))
  ) {
    throw new Refusal({
      code: 'ENV_YML',
      file,
      message: `"dependencies" holds ${JSON.stringify(stranger ?? dependencies).slice(0, 60)}.`,
      hint: 'Write names of packages, and "pip:" with a list.',
    })
  }
}

function packagesOf({ detected }: Writing, environment: Mapping, needsPip: boolean): string[] {
  const asked = dependenciesOf(environment)
    .filter(each => typeof each === 'string')
    .map(each => each.trim())
  const names = new Set(asked.map(each => /^(?:[^:\s]+::)?([A-Za-z0-9_.-]+)/.exec(each)?.[1]?.toLowerCase()))
  const isR = [...names].some(name => name === 'r-base' || name?.startsWith('r-'))
  const missing = [
    ...(names.has('python') ? [] : [`python=${detected.pythons[0]}`]),
    ...(needsPip && !names.has('pip') ? ['pip'] : []),
    ...(names.has('ipykernel') ? [] : ['ipykernel']),
    ...(isR && !names.has('r-irkernel') ? ['r-irkernel'] : []),
  ]
  return [...asked, ...missing]
}

function channelsOf({ draft, allowed }: Writing, environment: Mapping, file: string): string[] {
  const written = Array.isArray(environment.channels) ? environment.channels.map(String) : []
  for (const channel of written) {
    const finding = sourceFinding(channel, { file }, allowed)
    if (finding) {
      draft.findings.push(finding)
    }
  }
  return written.length > 0 ? written : ['conda-forge']
}

function writeVariables({ draft }: Writing, environment: Mapping, file: string): void {
  const variables = isMapping(environment.variables) ? environment.variables : {}
  for (const [name, value] of Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const isWord = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !/[\0\r\n]/.test(String(value))
    if (isWord && !RESERVED.test(name)) {
      draft.environment.lateVariables[name] = String(value)
    } else {
      draft.warnings.push({
        code: 'VARIABLE_IGNORED',
        file,
        message: `The variable ${JSON.stringify(name.slice(0, 60))} may not be set.`,
        hint: 'Set it in the notebook.',
      })
    }
  }
}
