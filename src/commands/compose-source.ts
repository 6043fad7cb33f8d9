import { join, posix } from 'node:path'
import { type ComposeSource, checkComposeFiles, type StaticCheck } from '#policy/compose.ts'
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

/** Reads and checks every file that Compose would read, also those that `include` and `extends` lead to, before Compose sees any. */
export async function checkSources(
  hands: Hands,
  wanted: ProjectFiles,
  project: ProjectFacts,
): Promise<StaticCheck> {
  const folder = projectFolderOf(wanted.files)
  const seen = new Set<string>()
  const files: StaticCheck['files'][number][] = []
  const findings: Finding[] = []
  let next = wanted.files.map(file => ({ file: checkedPath(file), folder }))
  while (next.length > 0) {
    const fresh = next.filter(({ file }) => !seen.has(file))
    for (const { file } of fresh) {
      seen.add(file)
    }
    if (seen.size > MOST_FILES) {
      findings.push(tooManyFiles(fresh[0]?.file ?? ''))
      break
    }
    const sources = await Promise.all(fresh.map(place => readSource(hands, wanted, place)))
    const checked = checkComposeFiles(sources, hands.host.policy, project)
    files.push(...checked.files)
    findings.push(...checked.findings)
    next = [...checked.leadsTo]
  }
  return { files, findings, leadsTo: [] }
}

/** Relative paths in Compose files start at the folder of the first one. */
export function projectFolderOf(files: readonly string[]): string {
  return posix.dirname(files[0] ?? '.')
}

async function readSource(
  hands: Hands,
  { checkout, commit }: ProjectFiles,
  { file, folder }: { readonly file: string; readonly folder: string },
): Promise<ComposeSource> {
  const text = await hands.perform({
    kind: 'file',
    operation: 'read',
    path: join(checkout, file),
    maxBytes: LARGEST_FILE,
    read: result => result.text,
  })
  if (text === undefined) {
    throw COMPOSE_FILE_MISSING(file, commit)
  }
  return { file, text, folder }
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
