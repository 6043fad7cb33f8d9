import { join, posix } from 'node:path'
import { type ComposeSource, checkComposeFiles } from '#policy/compose.ts'
import type { ComposeFile } from '#policy/compose-text.ts'
import type { Finding } from '#policy/finding.ts'
import type { ProjectFacts } from '#policy/rule-context.ts'
import { checkedPath } from '#programs/git-names.ts'
import type { Hands } from './command.ts'
import { COMPOSE_FILE_MISSING } from './compose-errors.ts'

const LARGEST_FILE = 1024 * 1024
/** Files that include files that include files. */
const MOST_FILES = 50

/** The files of a project in one checkout. */
export interface ProjectFiles {
  readonly checkout: string
  readonly commit: string
  /** From the root of the repository, in the order in which they are merged. */
  readonly files: readonly string[]
}

export interface CheckedSources {
  readonly files: readonly ComposeFile[]
  readonly findings: readonly Finding[]
  /** Everything that Compose reads to render, by path; undefined for a file that is not there. */
  readonly texts: ReadonlyMap<string, string | undefined>
}

/** Reads and checks every file that Compose would read, also those that `include` and `extends` lead to, before Compose sees any. */
export async function checkSources(
  hands: Hands,
  wanted: ProjectFiles,
  project: ProjectFacts,
): Promise<CheckedSources> {
  const folder = projectFolderOf(wanted.files)
  const texts = new Map<string, string | undefined>()
  const files: ComposeFile[] = []
  const findings: Finding[] = []
  const reads = new Set<string>()
  let next = wanted.files.map(file => ({ file: checkedPath(file), folder }))
  while (next.length > 0) {
    const fresh = next.filter(
      ({ file }, index) => !texts.has(file) && next.findIndex(each => each.file === file) === index,
    )
    if (texts.size + fresh.length > MOST_FILES) {
      findings.push(tooManyFiles(fresh[0]?.file ?? ''))
      break
    }
    const sources = await Promise.all(fresh.map(place => readSource(hands, wanted, place)))
    for (const { file, text } of sources) {
      texts.set(file, text)
    }
    const checked = checkComposeFiles(sources, hands.host.policy, project)
    files.push(...checked.files)
    findings.push(...checked.findings)
    checked.reads.forEach(path => void reads.add(path))
    next = [...checked.leadsTo]
  }
  for (const path of reads) {
    texts.set(path, await readText(hands, wanted, path))
  }
  return { files, findings, texts }
}

/** Relative paths in Compose files start at the folder of the first one. */
export function projectFolderOf(files: readonly string[]): string {
  return posix.dirname(files[0] ?? '.')
}

async function readSource(
  hands: Hands,
  wanted: ProjectFiles,
  { file, folder }: { readonly file: string; readonly folder: string },
): Promise<ComposeSource> {
  const text = await readText(hands, wanted, file)
  if (text === undefined) {
    throw COMPOSE_FILE_MISSING(file, wanted.commit)
  }
  return { file, text, folder }
}

async function readText(hands: Hands, { checkout }: ProjectFiles, file: string): Promise<string | undefined> {
  return hands.perform({
    kind: 'file',
    operation: 'read',
    path: join(checkout, file),
    maxBytes: LARGEST_FILE,
    read: result => result.text,
  })
}

function tooManyFiles(file: string): Finding {
  return {
    rule: 'POL032',
    severity: 'error',
    path: 'include',
    file,
    line: 1,
    column: 1,
    message: `the project leads to more than ${MOST_FILES} files.`,
    fix: 'Put more into one file.',
  }
}
