import { posix } from 'node:path'
import { isTable, type TomlTable, tableIn, textIn } from '#formats/toml.ts'
import { Refusal } from './diagnostic.ts'
import { run, type Writing } from './draft.ts'
import { DEPENDENCIES, PROJECT } from './recipe.ts'
import { sourceFinding } from './source-findings.ts'
import { ENVIRONMENTS } from './write-pip.ts'

const CACHE = {
  id: 'nb-uv',
  variable: 'UV_CACHE_DIR',
  folder: '/opt/uv-cache',
  without: { UV_NO_CACHE: '1' },
}
/** The environment is the one of the base image, which has the kernel: what is there besides stays. */
const VARIABLES = { UV_LINK_MODE: 'copy', UV_PROJECT_ENVIRONMENT: ENVIRONMENTS.python }

/** The packages of uv.lock; the project itself, when it is a package, after its files are there. */
export function writeUv(writing: Writing): void {
  const { texts, draft, folder } = writing
  const { config, settings } = texts
  const pyproject = texts.pyproject()
  if (!pyproject) {
    throw new Refusal({
      code: 'UV_NO_PROJECT',
      file: config.place('uv.lock'),
      message: 'There is no pyproject.toml beside it.',
      hint: 'Commit the pyproject.toml that it was made from.',
    })
  }
  const lock = texts.toml('uv.lock', 'UV_LOCK') ?? {}
  const names = ['pyproject.toml', 'uv.lock', ...membersOf(lock).map(path => `${path}/pyproject.toml`)]
  for (const name of names) {
    const path = posix.normalize(config.place(name))
    const text = folder.text(path)
    if (text === undefined || path.startsWith('..')) {
      throw new Refusal({
        code: path.startsWith('..') ? 'REQ_ESCAPE' : 'REQ_MISSING',
        file: config.place('uv.lock'),
        message: `It needs ${path}, which is not ${path.startsWith('..') ? 'inside the project' : 'there'}.`,
        hint: 'Move the package into the project, or make the folder above it the project with an nb.yaml there.',
      })
    }
    draft.files.push({ path: `uv/${name}`, content: text })
    draft.inputs.add(path)
  }
  checkSources(writing, lock, pyproject)
  const extras = (settings.env?.extras ?? []).flatMap(extra => ['--extra', extra])
  const sync = ['uv', 'sync', '--locked', '--no-dev', '--inexact', ...extras]
  draft.environment.steps.push(
    run(
      'install Python packages',
      [...sync, '--no-install-project', '--no-install-workspace', '--project', DEPENDENCIES],
      { sees: 'uv', cache: CACHE, variables: VARIABLES },
    ),
  )
  const uv = tableIn(tableIn(pyproject, 'tool'), 'uv')
  if (uv.package === true || (uv.package !== false && 'build-system' in pyproject) || names.length > 2) {
    draft.project.steps.push(
      run('install the project', sync, {
        cache: CACHE,
        variables: VARIABLES,
        folder: posix.join(PROJECT, config.path),
      }),
    )
  }
}

/** Folders of the other packages that are developed together with the project. */
function membersOf(lock: TomlTable): string[] {
  const members = packagesIn(lock).flatMap(({ source }) => {
    const table = isTable(source) ? source : {}
    return textIn(table, 'editable') ?? textIn(table, 'virtual') ?? textIn(table, 'directory') ?? []
  })
  return [...new Set(members)].filter(path => path !== '.').sort()
}

function packagesIn(lock: TomlTable): TomlTable[] {
  return Array.isArray(lock.package) ? lock.package.filter(isTable) : []
}

/** Where uv would fetch from, by the lock and by the settings of the project. */
function checkSources({ texts, draft, allowed }: Writing, lock: TomlTable, pyproject: TomlTable): void {
  const uv = tableIn(tableIn(pyproject, 'tool'), 'uv')
  const indexes = Array.isArray(uv.index) ? uv.index.filter(isTable) : []
  const written = {
    'uv.lock': packagesIn(lock).flatMap(({ source }) =>
      isTable(source)
        ? [textIn(source, 'registry'), gitAddress(textIn(source, 'git')), textIn(source, 'url')]
        : [],
    ),
    'pyproject.toml': [textIn(uv, 'index-url'), ...indexes.map(index => textIn(index, 'url'))],
  }
  for (const [name, addresses] of Object.entries(written)) {
    for (const address of new Set(addresses.filter(each => each !== undefined))) {
      const finding = sourceFinding(address, { file: texts.config.place(name) }, allowed)
      if (finding) {
        draft.findings.push(finding)
      }
    }
  }
}

function gitAddress(address: string | undefined): string | undefined {
  return address === undefined ? undefined : `git+${address}`
}
