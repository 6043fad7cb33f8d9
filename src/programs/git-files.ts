import type { ProgramCall } from '#exec/call.ts'
import { gitCall } from './git-call.ts'

/** A file, a link or a submodule of a commit. */
export interface CommitFile {
  /** From the root of the repository. */
  readonly path: string
  /** 100644, 100755, 120000 (a link) or 160000 (a submodule). */
  readonly mode: string
  readonly oid: string
  /** 0 for a submodule. */
  readonly size: number
}

const LOCAL_MS = 60_000
const MOST_BYTES = 64 * 1024 * 1024

/** All files of a commit with modes and sizes, in the order of git. */
export function listFiles(mirror: string, commit: string): ProgramCall<readonly CommitFile[]> {
  return gitCall({
    args: [`--git-dir=${mirror}`, 'ls-tree', '-r', '-l', '-z', '--full-tree', '--end-of-options', commit],
    timeoutMs: LOCAL_MS,
    maxOutputBytes: MOST_BYTES,
    about: { operation: 'ls-tree', commit },
    read: ({ stdout }) =>
      stdout
        .split('\0')
        .filter(line => line !== '')
        .map(readFile),
  })
}

/** `<mode> <type> <id> <size>\t<path>` */
function readFile(line: string): CommitFile {
  const tab = line.indexOf('\t')
  const [mode = '', , oid = '', size] = line.slice(0, tab).split(/ +/)
  return { mode, oid, size: Number(size) || 0, path: line.slice(tab + 1) }
}

/** When a folder was changed last, ms since 1970, as far as the mirror knows its history. */
export function lastChange(mirror: string, commit: string, folder: string): ProgramCall<number> {
  return gitCall({
    config: ['log.showSignature=false'],
    args: [
      `--git-dir=${mirror}`,
      'log',
      '--max-count=1',
      '--no-patch',
      '--format=%ct',
      '--end-of-options',
      commit,
      '--',
      ...(folder === '.' ? [] : [folder]),
    ],
    timeoutMs: LOCAL_MS,
    maxOutputBytes: 1024,
    about: { operation: 'log', commit },
    read: ({ stdout }) => Math.min(Number(stdout) || 0, 253_402_300_799) * 1000,
  })
}
