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
  const file = 'setup.py'
  const text = folder.text(file) ?? ''
  const start = /\binstall_requires\s*=\s*\[/.exec(text)
  const listed = start ? plainList(text, start.index + start[0].length) : undefined
  if (listed) {
    const lines = listed.map(each => ({ text: each.trim(), line: 0 }))
    addRequirementLines({ folder, allowed, found }, { file, lines })
    found.inputs.add(`${file}#install_requires`)
  } else if (text.includes('install_requires')) {
    draft.warnings.push({
      code: 'SETUP_DEPENDENCIES',
      file,
      message: 'What it needs is known only when it runs, and is not installed.',
      hint: 'List it in requirements.txt.',
    })
  }
}

/** The texts of a list of Python up to its bracket; undefined when there is anything but texts in it. */
function plainList(text: string, start: number): string[] | undefined {
  const part = /[\s,]+|#[^\n]*|"([^"\\\n]*)"|'([^'\\\n]*)'/y
  const found: string[] = []
  part.lastIndex = start
  while (text[part.lastIndex] !== ']') {
    const match = part.exec(text)
    if (!match) {
      return undefined
    }
    found.push(...[match[1] ?? match[2]].filter(each => each !== undefined))
  }
  return found
}
