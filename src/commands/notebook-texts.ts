import type { CommitFile } from '#programs/git-files.ts'
import { readBlobs } from '#programs/git-tree.ts'
import type { Hands } from './command.ts'

/** Texts of files of a commit. Planning is pure: it asks, and is asked again once what it wanted is read. */
export interface Texts {
  /** Undefined for what is not there, is too large, or was not read yet; then it is wanted from now on. */
  readonly text: (path: string) => string | undefined
  /** How many files are wanted that were not read. */
  readonly wanted: () => number
  readonly read: () => Promise<void>
  /** Asked for, and larger than is read. */
  readonly tooLarge: ReadonlySet<string>
}

export interface TextLimits {
  /** Of one notebook. Larger ones count as not readable, which is no fault. */
  readonly notebookBytes: number
}

export const LARGEST_TEXT_BYTES = 4 * 1024 * 1024
const MOST_BYTES = 128 * 1024 * 1024
const BATCH_BYTES = 32 * 1024 * 1024

export function createTexts(
  hands: Hands,
  mirror: string,
  { files, notebookBytes }: TextLimits & { readonly files: readonly CommitFile[] },
): Texts {
  const byPath = new Map(files.map(file => [file.path, file]))
  const byOid = new Map<string, string>()
  const wanted = new Map<string, CommitFile>()
  const tooLarge = new Set<string>()
  let bytes = 0
  return {
    text(path) {
      const file = byPath.get(path)
      if (!file || file.mode === '160000') {
        return undefined
      }
      const known = byOid.get(file.oid)
      if (known !== undefined || wanted.has(file.oid)) {
        return known
      }
      const isNotebook = path.endsWith('.ipynb')
      if (file.size > (isNotebook ? notebookBytes : LARGEST_TEXT_BYTES)) {
        if (!isNotebook) {
          tooLarge.add(path)
        }
      } else if (bytes + file.size <= MOST_BYTES) {
        bytes += file.size
        wanted.set(file.oid, file)
      }
      return undefined
    },
    wanted: () => wanted.size,
    async read() {
      const asked = [...wanted.values()]
      wanted.clear()
      for (const batch of batchesOf(asked)) {
        const ids = batch.map(({ oid }) => oid)
        for (const [oid, text] of await hands.perform(readBlobs(mirror, ids, BATCH_BYTES))) {
          byOid.set(oid, text)
        }
      }
    },
    tooLarge,
  }
}

function batchesOf(files: readonly CommitFile[]): CommitFile[][] {
  const batches: CommitFile[][] = []
  let room = 0
  for (const file of files) {
    if (file.size > room || batches.length === 0) {
      batches.push([])
      room = BATCH_BYTES
    }
    batches.at(-1)?.push(file)
    room -= file.size
  }
  return batches
}
