import { createHash } from 'node:crypto'
import { stripVTControlCharacters } from 'node:util'
import type { ProgramCall } from '#exec/call.ts'
import { actionsIn } from '#formats/commit-actions.ts'
import { gitCall } from './git-call.ts'
import { MIRROR_DAMAGED, OBJECT_NOT_FOUND, REPOSITORY_TOO_LARGE } from './git-errors.ts'
import { checkedPath } from './git-names.ts'

export interface TreeEntry {
  readonly kind: 'file' | 'link' | 'submodule'
  readonly path: string
  readonly id: string
  /** 0 for a submodule. */
  readonly bytes: number
}

export interface TreeLimits {
  readonly files: number
  /** Sum over all files. */
  readonly bytes: number
}

export interface CommitFacts {
  readonly commit: string
  readonly tree: string
  /** First line of the message and name of the author, at most 200 characters each, without control characters. */
  readonly subject: string
  readonly author: string
  /** When it was committed, ms since 1970, as its maker says. */
  readonly date: number
  /** Its message asks that pushing it deploys nothing. */
  readonly skips: boolean
  /** The deployment that its message says it reports on. */
  readonly deployId?: string
  /** Words in brackets of its message that ask for something: `deploy-web`. */
  readonly actions: readonly string[]
}

const LOCAL_MS = 60_000
const SKIP_WORDS = /\[(?:skip (?:deploy|cd|ci)|ci skip)\]/i
const DEEPEST = 64
const LONGEST_NAME_BYTES = 255
const LONGEST_PATH_BYTES = 1024
/** git prints 53 bytes before each path. */
const BYTES_PER_ENTRY = 160
const MOST_CHANGED_BYTES = 16 * 1024 * 1024

/** Every file of a revision with kind and size; REPOSITORY_TOO_LARGE before a checkout could fill the disk. */
export function listTree(
  mirror: string,
  revision: string,
  limits: TreeLimits,
): ProgramCall<readonly TreeEntry[]> {
  return gitCall({
    args: [`--git-dir=${mirror}`, 'ls-tree', '-r', '-l', '-z', '--full-tree', '--end-of-options', revision],
    timeoutMs: LOCAL_MS,
    maxOutputBytes: 64 * 1024 + limits.files * BYTES_PER_ENTRY,
    about: { operation: 'ls-tree', commit: revision },
    read: ({ stdout }) => {
      const entries = stdout
        .split('\0')
        .filter(line => line !== '')
        .map(readEntry)
      refuseTooLarge(entries, limits)
      return entries
    },
  })
}

/** `<mode> <type> <id> <size>\t<path>` */
function readEntry(line: string): TreeEntry {
  const tab = line.indexOf('\t')
  const [mode, type, id = '', size] = line.slice(0, tab).split(/ +/)
  const kind = type === 'commit' ? 'submodule' : mode === '120000' ? 'link' : 'file'
  return { kind, id, path: line.slice(tab + 1), bytes: Number(size) || 0 }
}

function refuseTooLarge(entries: readonly TreeEntry[], limits: TreeLimits): void {
  if (entries.length > limits.files) {
    throw REPOSITORY_TOO_LARGE(`it has ${entries.length} files, at most ${limits.files} are allowed`)
  }
  let bytes = 0
  for (const entry of entries) {
    bytes += entry.bytes
    const parts = entry.path.split('/')
    if (parts.length > DEEPEST || Buffer.byteLength(entry.path) > LONGEST_PATH_BYTES) {
      throw REPOSITORY_TOO_LARGE(
        `it has a path of more than ${DEEPEST} folders or ${LONGEST_PATH_BYTES} bytes: ${plain(entry.path, 60)}…`,
      )
    }
    if (parts.some(part => Buffer.byteLength(part) > LONGEST_NAME_BYTES)) {
      throw REPOSITORY_TOO_LARGE(
        `it has a file name of more than ${LONGEST_NAME_BYTES} bytes: ${plain(entry.path, 60)}…`,
      )
    }
  }
  if (bytes > limits.bytes) {
    throw REPOSITORY_TOO_LARGE(`its files have ${bytes} bytes, at most ${limits.bytes} are allowed`)
  }
}

/** Commit, tree, subject, author and date of a revision. Everything a person wrote in it is cut and made inert. */
export function commitFacts(mirror: string, revision: string): ProgramCall<CommitFacts> {
  return gitCall({
    config: ['log.showSignature=false', 'log.mailmap=false'],
    args: [
      `--git-dir=${mirror}`,
      'log',
      '--max-count=1',
      '--no-color',
      '--no-patch',
      // Cut by git already: a message may have any size.
      '--format=%H%x00%T%x00%ct%x00%<(256,trunc)%an%x00%<(256,trunc)%s%x00%<(128,trunc)%(trailers:key=Deploy-Id,valueonly,separator=%x2C)%x00%<(4096,trunc)%B',
      '--end-of-options',
      revision,
    ],
    timeoutMs: LOCAL_MS,
    maxOutputBytes: 64 * 1024,
    about: { operation: 'log', commit: revision },
    read: ({ stdout }) => {
      const [commit = '', tree = '', seconds, author = '', subject = '', id = '', message = ''] =
        stdout.split('\0')
      const date = Math.min(Number(seconds) || 0, 253_402_300_799) * 1000
      const facts = { commit, tree, date, author: plain(author, 200), subject: plain(subject, 200) }
      const deployId = /^[0-9a-f-]{36}$/.exec(id.trim())?.[0]
      return {
        ...facts,
        skips: SKIP_WORDS.test(message),
        actions: actionsIn(message),
        ...(deployId && { deployId }),
      }
    },
  })
}

/** The texts of these blobs by id, in one process. The caller knows from listTree that they are small. */
export function readBlobs(
  mirror: string,
  ids: readonly string[],
  maxBytes: number,
): ProgramCall<ReadonlyMap<string, string>> {
  // A blob cannot contain the hash of its own name, so no content can pass for the line between two blobs. Byte counts
  // would not do: what is no UTF-8 changes its length when it is decoded.
  const mark = createHash('sha256').update(ids.join()).digest('hex')
  return gitCall({
    args: [`--git-dir=${mirror}`, 'cat-file', `--batch=${mark} %(objectname) %(objecttype)`],
    input: ids.map(id => `${id}\n`).join(''),
    timeoutMs: LOCAL_MS,
    maxOutputBytes: maxBytes + ids.length * 256,
    about: { operation: 'cat-file', commit: 'a file of it' },
    read: ({ stdout }) => {
      const [, ...parts] = `\n${stdout}`.split(`\n${mark} `)
      if (parts.length !== ids.length) {
        throw MIRROR_DAMAGED('a file of a commit is missing')
      }
      return new Map(parts.map(readBlob))
    },
  })
}

/** The bytes of one blob, in base64. */
export function readBlobBytes(mirror: string, id: string, maxBytes: number): ProgramCall<string> {
  return gitCall({
    args: [`--git-dir=${mirror}`, 'cat-file', 'blob', id],
    timeoutMs: LOCAL_MS,
    maxOutputBytes: maxBytes,
    encoding: 'base64',
    about: { operation: 'cat-file', commit: 'a file of it' },
    read: ({ stdout }) => stdout,
  })
}

/** `<id> blob\n<content>`; the line break after a content belongs to the next mark, or is the last character of all. */
function readBlob(part: string, index: number, parts: readonly string[]): [string, string] {
  const start = part.indexOf('\n') + 1
  const end = index === parts.length - 1 ? part.length - 1 : part.length
  return [part.slice(0, part.indexOf(' ')), part.slice(start, end)]
}

/** The id of the tree or blob at each path, null where there is none. Equal ids mean equal content. */
export function treesOf(
  mirror: string,
  commit: string,
  paths: readonly string[],
): ProgramCall<Readonly<Record<string, string | null>>> {
  const asked = paths.map(checkedPath)
  return gitCall({
    args: [`--git-dir=${mirror}`, 'cat-file', '--batch-check=%(objectname) %(objecttype)'],
    input: ['.', ...asked].map(path => `${commit}:${path === '.' ? '' : path}\n`).join(''),
    timeoutMs: LOCAL_MS,
    about: { operation: 'cat-file', commit },
    read: ({ stdout }) => {
      const [root = '', ...lines] = stdout.split('\n')
      if (!root.endsWith(' tree')) {
        throw OBJECT_NOT_FOUND(commit)
      }
      return Object.fromEntries(
        asked.map((path, index) => [
          path,
          /^([0-9a-f]{40,64}) (?:tree|blob)$/.exec(lines[index] ?? '')?.[1] ?? null,
        ]),
      )
    },
  })
}

/** Paths that differ between two commits: a file that was renamed is both gone and new. Needs no history, only both trees. */
export function changedPaths(mirror: string, from: string, to: string): ProgramCall<readonly string[]> {
  return gitCall({
    args: [
      `--git-dir=${mirror}`,
      'diff-tree',
      '-r',
      '-z',
      '--name-only',
      '--no-renames',
      '--end-of-options',
      from,
      to,
    ],
    timeoutMs: LOCAL_MS,
    maxOutputBytes: MOST_CHANGED_BYTES,
    about: { operation: 'diff-tree', commit: `${from} or ${to}` },
    read: ({ stdout }) => stdout.split('\0').filter(path => path !== ''),
  })
}

function plain(text: string, most: number): string {
  const inert = stripVTControlCharacters(text).replace(/\p{C}/gu, '').trim()
  return [...inert].length > most ? `${[...inert].slice(0, most - 1).join('')}…` : inert
}
