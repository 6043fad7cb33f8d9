import { copy, type Draft, folderOf, run, type Writing } from './draft.ts'
import { DEPENDENCIES, PROJECT } from './recipe.ts'
import { LOCAL_FOLDER, type Requirements } from './requirements.ts'

const CACHE = {
  id: 'nb-pip',
  variable: 'PIP_CACHE_DIR',
  folder: '/opt/pip-cache',
  without: { PIP_NO_CACHE_DIR: '1' },
}

/** Where the environment of a project is in the image. */
export const ENVIRONMENTS = { python: '/opt/env', conda: '/opt/env-conda' } as const

/** What the files ask of pip: packages before the project's files are there, the project itself afterwards. */
export function writePip(writing: Writing, found: Requirements, environment: string): void {
  const { draft } = writing
  draft.findings.push(...found.findings)
  draft.warnings.push(...found.warnings)
  for (const input of found.inputs) {
    draft.inputs.add(input)
  }
  writeLocals(writing, found)
  if (found.lines.length > 0) {
    writeLines(draft, found, environment)
  }
  const [own] = [...found.own].sort((a, b) => Number(b.editable) - Number(a.editable))
  if (own) {
    const flags = ['--no-input', '--no-deps', ...(own.editable ? ['-e'] : [])]
    draft.project.steps.push(
      run('install the project', [`${environment}/bin/pip`, 'install', ...flags, '.'], {
        cache: CACHE,
        folder: PROJECT,
      }),
    )
  }
}

function writeLocals(writing: Writing, { locals }: Requirements): void {
  const { draft, folder } = writing
  for (const [number, path] of locals.entries()) {
    draft.folders.push(folderOf(writing, `local/${number}`, [path]))
    draft.inputs.add(folder.has(path) ? path : `${path}/**`)
  }
  if (locals.length > 0) {
    draft.environment.steps.push(copy('local', LOCAL_FOLDER))
  }
}

function writeLines(draft: Draft, { lines, constraints }: Requirements, environment: string): void {
  const name = 'requirements.txt'
  draft.files.push({ path: `pip/${name}`, content: textOf(lines) })
  if (constraints.length > 0) {
    draft.files.push({ path: 'pip/constraints.txt', content: textOf(constraints) })
  }
  const limited = constraints.length > 0 ? ['-c', `${DEPENDENCIES}/constraints.txt`] : []
  draft.environment.steps.push(
    run(
      'install Python packages',
      [`${environment}/bin/pip`, 'install', '--no-input', '-r', `${DEPENDENCIES}/${name}`, ...limited],
      { sees: 'pip', cache: CACHE },
    ),
  )
}

function textOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}
