import type { ProgramCall } from '#exec/call.ts'
import { gitCall } from './git-call.ts'

const LOCAL_MS = 60_000
const MOST_BYTES = 64 * 1024 * 1024

/** A file, a link or a submodule of a tree. */
export interface ContextEntry {
  /** Six digits: what it is, and whether it can be executed. */
  readonly mode: string
  readonly id: string
  /** From the tree. */
  readonly path: string
}

/** All that is in a tree, however deep; in the order of git. */
export function listContext(mirror: string, tree: string): ProgramCall<readonly ContextEntry[]> {
  return gitCall({
    args: [`--git-dir=${mirror}`, 'ls-tree', '-r', '-z', '--full-tree', '--end-of-options', tree],
    timeoutMs: LOCAL_MS,
    maxOutputBytes: MOST_BYTES,
    about: { operation: 'ls-tree', commit: tree },
    read: ({ stdout }) =>
      stdout
        .split('\0')
        .filter(line => line !== '')
        .map(readEntry),
  })
}

/** `<mode> <type> <id>\t<path>` */
function readEntry(line: string): ContextEntry {
  const tab = line.indexOf('\t')
  const [mode = '', , id = ''] = line.slice(0, tab).split(' ')
  return { mode, id, path: line.slice(tab + 1) }
}
