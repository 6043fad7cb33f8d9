import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { TreeFile } from './tree.ts'

/**
 * Whether a file of a project belongs to what is shipped. URL.md does not: it is written after a deployment, and would
 * ask for the next one.
 */
export function isShipped(path: string): boolean {
  return (
    posix.basename(path) !== 'URL.md' &&
    !/(?:^|\/)(?:\.git|\.ipynb_checkpoints|__pycache__)(?:\/|$)/.test(path)
  )
}

/** The name of what is shipped: the same for the same files, in whatever order; another for another name, mode or content. */
export function contentHash(files: readonly TreeFile[]): string {
  const hash = createHash('sha256')
  // NUL ends a name: no name of a file can hold it.
  for (const line of files.map(({ mode, oid, path }) => `${mode} ${oid} ${path}\0`).sort()) {
    hash.update(line)
  }
  return hash.digest('hex')
}
