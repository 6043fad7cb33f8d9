import { posix } from 'node:path'
import { type Diagnostic, Refusal } from './diagnostic.ts'
import type { ProjectFolder } from './project-folder.ts'
import { optionOf, type RequirementLine, requirementLines } from './requirement-lines.ts'
import { type Place, sourceFinding } from './source-findings.ts'

/** What is to be installed with pip, as far as files of a project say it; comments and order of files are gone. */
export interface Requirements {
  /** Without includes; what is local names the copy in the image. */
  readonly lines: string[]
  readonly constraints: string[]
  /** Files and folders of the project that must be there when the lines are installed, by their number. */
  readonly locals: string[]
  /** The project itself is to be installed after its files are there: `-e .`, `.[plots]`. */
  readonly own: { readonly editable: boolean; readonly extras: readonly string[] }[]
  /** Files that were read. */
  readonly inputs: Set<string>
  readonly findings: Diagnostic[]
  readonly warnings: Diagnostic[]
}

export interface RequirementsContext {
  readonly folder: ProjectFolder
  /** Beginnings of addresses that the administrator allows. */
  readonly allowed: readonly string[]
  readonly found: Requirements
}

/** Where local packages lie in an image. */
export const LOCAL_FOLDER = '/opt/nb-local'

export function noRequirements(): Requirements {
  return { lines: [], constraints: [], locals: [], own: [], inputs: new Set(), findings: [], warnings: [] }
}

/** Adds a requirements file and all that it includes. */
export function addRequirementsFile(
  context: RequirementsContext,
  file: string,
  kind: 'lines' | 'constraints' = 'lines',
): void {
  const { folder, found } = context
  const key = `${kind} ${file}`
  // A circle of includes, or a file that is included twice, adds nothing.
  if (seen(found).has(key)) {
    return
  }
  seen(found).add(key)
  found.inputs.add(file)
  addRequirementLines(context, { file, kind, lines: requirementLines(folder.text(file) ?? '') })
}

/** Adds lines that stand in a file of another form, such as environment.yml. */
export function addRequirementLines(
  context: RequirementsContext,
  {
    file,
    kind = 'lines',
    lines,
  }: { file: string; kind?: 'lines' | 'constraints'; lines: readonly RequirementLine[] },
): void {
  for (const { text, line } of lines) {
    const place = { file, ...(line > 0 ? { line } : {}) }
    // A text of a lock file could bring lines of its own.
    if (/[\r\n\0\u2028\u2029]/.test(text)) {
      const message = `${JSON.stringify(text.slice(0, 60))} is no requirement.`
      context.found.findings.push({ code: 'REQ_LINE', ...place, message, hint: 'Write it on one line.' })
      continue
    }
    const option = optionOf(text)
    if (option?.name === 'requirement' || option?.name === 'constraint') {
      include(context, option.value, place, option.name === 'constraint' ? 'constraints' : kind)
    } else if (option && option.name !== 'editable') {
      addOption(context, { name: option.name, value: option.value, text }, place)
    } else {
      addPackage(
        context,
        { text, target: option?.value ?? text, editable: option !== undefined },
        { place, kind },
      )
    }
  }
}

const filesSeen = new WeakMap<Requirements, Set<string>>()

function seen(found: Requirements): Set<string> {
  const known = filesSeen.get(found) ?? new Set<string>()
  filesSeen.set(found, known)
  return known
}

function include(
  context: RequirementsContext,
  value: string,
  place: Place,
  kind: 'lines' | 'constraints',
): void {
  const { folder, found } = context
  if (/^[a-z][a-z0-9+]*:/i.test(value)) {
    found.findings.push({
      code: 'REQ_REMOTE',
      ...place,
      message: `${JSON.stringify(value.slice(0, 120))} is not in the repository: what it asks for could change unseen.`,
      hint: 'Commit the file.',
    })
    return
  }
  const file = posix.normalize(posix.join(posix.dirname(place.file), value))
  if (folder.has(file)) {
    addRequirementsFile(context, file, kind)
  } else {
    found.findings.push(notThere(value, file, place))
  }
}

function notThere(value: string, path: string, place: Place): Diagnostic {
  const isOutside = path.startsWith('..') || value.startsWith('/')
  return {
    code: isOutside ? 'REQ_ESCAPE' : 'REQ_MISSING',
    ...place,
    message: `${JSON.stringify(value.slice(0, 120))} is not ${isOutside ? 'inside the project' : 'there'}.`,
    hint: isOutside ? 'Name its folder in nb.yaml under env.include.' : 'Add the file, or remove the line.',
  }
}

const SOURCES = ['index-url', 'extra-index-url', 'find-links']
const HARMLESS = ['no-index', 'no-binary', 'only-binary', 'prefer-binary', 'require-hashes', 'pre']

function addOption(
  context: RequirementsContext,
  { name, value, text }: { readonly name: string; readonly value: string; readonly text: string },
  place: Place,
): void {
  const { allowed, found } = context
  if (HARMLESS.includes(name)) {
    found.lines.push(text)
  } else if (SOURCES.includes(name)) {
    const finding = sourceFinding(value, place, allowed)
    if (finding) {
      found.findings.push(finding)
    } else if (name === 'find-links' && !value.includes('://')) {
      const local = localCopy(context, value, place)
      found.lines.push(...(local === undefined ? [] : [`--find-links ${local}`]))
    } else {
      found.lines.push(`--${name} ${value}`)
    }
  } else {
    found.findings.push({
      code: 'REQ_OPTION',
      ...place,
      message: `The option --${name.slice(0, 40)} may not be set by a repository.`,
      hint: 'Remove the line.',
    })
  }
}

interface Written {
  readonly text: string
  /** What is installed, without `-e`. */
  readonly target: string
  readonly editable: boolean
}

function addPackage(
  context: RequirementsContext,
  { text, target, editable }: Written,
  { place, kind }: { readonly place: Place; readonly kind: 'lines' | 'constraints' },
): void {
  const { allowed, found } = context
  const source = /^[A-Za-z0-9._-]+(?:\[[^\]]*\])?\s*@\s*(\S+)/.exec(target)?.[1] ?? target
  const address = (source.split(/\s/)[0] ?? '').replace(/^file:(?:\/\/)?(?=\.)/, '')
  const isRemote = /^[a-z][a-z0-9+.-]*:|^[^\s/]+@[^\s/]+:/i.test(address)
  const [, local = address, extras = ''] = /^([^[\];]*)(\[[A-Za-z0-9_.,-]*\])?;?$/.exec(address) ?? []
  const isPath = !isRemote && isLocalPath(context, local, editable)
  if (isPath && posix.normalize(`${local}/`) === './') {
    const names = extras.replace(/[[\]\s]/g, '').split(',')
    found.own.push({ editable, extras: names.filter(name => name !== '') })
    return
  }
  const finding = isRemote || isPath ? sourceFinding(address, place, allowed) : undefined
  if (finding) {
    found.findings.push(finding)
    return
  }
  if (isPath) {
    const copy = localCopy(context, local, place)
    found[kind].push(...(copy === undefined ? [] : [`${editable ? '-e ' : ''}${copy}${extras}`]))
    return
  }
  if (/^git\+/.test(address) && !/@[0-9a-f]{40}(?:$|#)/.test(address)) {
    found.warnings.push({
      code: 'UNPINNED_VCS',
      ...place,
      message: `${JSON.stringify(address.slice(0, 120))} names no commit: what is installed can change.`,
      hint: 'End the address with @ and the 40 digits of a commit.',
    })
  }
  found[kind].push(text)
}

/** pip takes a word for a path by its slash, its dot at the start, or the ending of an archive that is there. */
function isLocalPath({ folder }: RequirementsContext, word: string, editable: boolean): boolean {
  const isArchive = /\.(?:whl|zip|tar\.gz|tgz|tar\.bz2)$/.test(word)
  return /^[.~]|[/\\]/.test(word) || (isArchive && folder.has(word)) || (editable && folder.hasFolder(word))
}

/** The place in the image of a file or folder of the project; undefined, with a finding, when it is not there. */
function localCopy(
  { folder, found }: RequirementsContext,
  written: string,
  place: Place,
): string | undefined {
  // pip takes such paths from where it is started: the folder of the project, not the one of the file.
  const path = posix.normalize(written).replace(/(?<=.)\/$/, '')
  if (!folder.has(path) && !folder.hasFolder(path)) {
    found.findings.push(notThere(written, path, place))
    return undefined
  }
  const known = found.locals.indexOf(path)
  const number = known < 0 ? found.locals.push(path) - 1 : known
  // pip reads a version out of the name of a wheel.
  const name = posix.basename(path)
  const isFile = folder.has(path)
  if (isFile && !/^[A-Za-z0-9_.+-]+$/.test(name)) {
    throw new Refusal({
      code: 'REQ_NAME',
      ...place,
      message: `${JSON.stringify(name.slice(0, 120))} cannot be the name of a package's file.`,
      hint: 'Give it the name that it had when it was built.',
    })
  }
  return `${LOCAL_FOLDER}/${number}${isFile ? `/${name}` : ''}`
}
