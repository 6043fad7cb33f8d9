import { type TomlTable, tableIn, textsIn } from '#formats/toml.ts'
import type { Writing } from './draft.ts'
import {
  addRequirementLines,
  addRequirementsFile,
  noRequirements,
  type Requirements,
} from './requirements.ts'
import { ENVIRONMENTS, writePip } from './write-pip.ts'

/** requirements.txt, and what a pyproject.toml or setup.py says that its package needs. */
export function writePython(writing: Writing): void {
  const { texts, folder } = writing
  const { config } = texts
  const found = noRequirements()
  const context = { folder, allowed: writing.allowed, found }
  if (config.has('requirements.txt')) {
    addRequirementsFile(context, config.place('requirements.txt'))
  }
  const project = texts.pyproject()
  const isRoot = config.path === ''
  if (project && 'project' in project) {
    addProject(writing, found, project)
    if (isRoot && 'build-system' in project) {
      found.own.push({ editable: false, extras: [] })
    }
  }
  if (isRoot && folder.has('setup.py') && !(project && 'project' in project)) {
    addSetup(writing, found)
    found.own.push({ editable: false, extras: [] })
  }
  writePip(writing, found, ENVIRONMENTS.python)
}

/** requirements.txt beside the files of another language. */
export function writeSecondaryPython(writing: Writing): void {
  const { config } = writing.texts
  if (config.has('requirements.txt')) {
    const found = noRequirements()
    addRequirementsFile(
      { folder: writing.folder, allowed: writing.allowed, found },
      config.place('requirements.txt'),
    )
    writePip(writing, found, ENVIRONMENTS.python)
  }
}

/** A new version of the project itself changes nothing about what it needs: only its dependencies count. */
function addProject(
  { texts, folder, allowed, draft }: Writing,
  found: Requirements,
  pyproject: TomlTable,
): void {
  const file = texts.config.place('pyproject.toml')
  const project = tableIn(pyproject, 'project')
  const optional = tableIn(project, 'optional-dependencies')
  const extras = new Set([...(texts.settings.env?.extras ?? []), ...found.own.flatMap(own => own.extras)])
  const lines = [
    ...textsIn(project, 'dependencies'),
    ...[...extras].sort().flatMap(extra => textsIn(optional, extra)),
  ]
  addRequirementLines(
    { folder, allowed, found },
    { file, lines: lines.map(text => ({ text: text.trim(), line: 0 })) },
  )
  if (lines.length > 0) {
    found.inputs.add(`${file}#dependencies`)
  }
  if (textsIn(project, 'dynamic').includes('dependencies')) {
    draft.warnings.push({
      code: 'DYNAMIC_DEPENDENCIES',
      file,
      message: 'What the project needs is known only when it is built, and is not installed.',
      hint: 'List it in [project] dependencies or in requirements.txt.',
    })
  }
}

/** setup.py is a program; what it needs is taken where it is written as a plain list. */
function addSetup({ folder, allowed, draft }: Writing, found: Requirements): void {
  const text = folder.text('setup.py') ?? ''
  const list = /\binstall_requires\s*=\s*\[((?:\s*(?:"[^"\\\n]*"|'[^'\\\n]*')\s*,?|\s*#[^\n]*)*)\s*\]/.exec(
    text,
  )?.[1]
  if (list !== undefined) {
    const lines = [...list.replace(/#[^\n]*/g, '').matchAll(/"([^"]*)"|'([^']*)'/g)]
    addRequirementLines(
      { folder, allowed, found },
      {
        file: 'setup.py',
        lines: lines.map(([, double, single]) => ({ text: (double ?? single ?? '').trim(), line: 0 })),
      },
    )
    found.inputs.add('setup.py#install_requires')
  } else if (/\binstall_requires\b/.test(text)) {
    draft.warnings.push({
      code: 'SETUP_DEPENDENCIES',
      file: 'setup.py',
      message: 'What it needs is known only when it runs, and is not installed.',
      hint: 'List it in requirements.txt.',
    })
  }
}
