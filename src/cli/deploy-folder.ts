import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { FOLDER_NOT_READ } from './errors.ts'

/** What a checkout of a folder would hold. */
export interface DeployFolder {
  readonly folder: string
  readonly name: string
  /** Relative, with /, sorted. */
  readonly paths: readonly string[]
  /** Text of a file in it; undefined when it is absent, no file, or larger than 1 MiB. */
  text(path: string): string | undefined
}

/** As many as a worker reports of a checkout. */
const MAX_PATHS = 5_000
const MAX_BYTES = 1024 * 1024
/** Never part of a checkout, or of no interest and large. */
const SKIPPED = new Set(['.git', 'node_modules'])

/** Reads which files a folder has; nothing in it is executed. */
export function readDeployFolder(path: string): DeployFolder {
  const folder = resolve(path)
  const paths = listPaths(folder).sort()
  return {
    folder,
    name: basename(folder),
    paths,
    text: file => readText(join(folder, file)),
  }
}

/** Texts of those of the paths that are there. */
export function textsOf(folder: DeployFolder, paths: readonly string[]): Record<string, string> {
  const pairs = paths.flatMap(path => {
    const text = folder.paths.includes(path) ? folder.text(path) : undefined
    return text === undefined ? [] : [[path, text] as const]
  })
  return Object.fromEntries(pairs)
}

function listPaths(folder: string): string[] {
  const paths: string[] = []
  const waiting = ['']
  for (
    let inside = waiting.shift();
    inside !== undefined && paths.length < MAX_PATHS;
    inside = waiting.shift()
  ) {
    for (const entry of entriesOf(join(folder, inside))) {
      const path = inside === '' ? entry.name : `${inside}/${entry.name}`
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) {
        waiting.push(path)
      } else if (entry.isFile()) {
        paths.push(path)
      }
    }
  }
  return paths.slice(0, MAX_PATHS)
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    throw FOLDER_NOT_READ(folder, (error as NodeJS.ErrnoException).code ?? 'unknown reason')
  }
}

function readText(file: string): string | undefined {
  try {
    return statSync(file).size > MAX_BYTES ? undefined : readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
