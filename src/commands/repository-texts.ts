import { checkedPath } from '#programs/git-names.ts'
import { readBlobs, type TreeEntry } from '#programs/git-tree.ts'
import type { Hands } from './command.ts'
import { fixedPartsOf, isPattern, pathFits } from './path-pattern.ts'
import { PATH_IS_LINK, TEXTS_TOO_LARGE } from './repository-errors.ts'

/** A result must fit one frame (1 MiB) together with the list of paths. */
const MOST_KIB = 640

/** The texts of the files that paths and patterns name, by path. What is not there is left out; a link is an error. */
export async function readTexts(
  hands: Hands,
  mirror: string,
  files: readonly TreeEntry[],
): Promise<Record<string, string>> {
  if (files.length === 0) {
    return {}
  }
  const ids = [...new Set(files.map(file => file.id))]
  const texts = await hands.perform(readBlobs(mirror, ids, MOST_KIB * 1024))
  const result = Object.fromEntries(files.map(file => [file.path, texts.get(file.id) ?? '']))
  if (Buffer.byteLength(JSON.stringify(result)) > (MOST_KIB + 64) * 1024) {
    throw tooLarge(files)
  }
  return result
}

/** Which files of a tree paths and patterns name. Refuses links before anything of them is read. */
export function chooseFiles(entries: readonly TreeEntry[], wanted: readonly string[]): TreeEntry[] {
  const byPath = new Map(entries.map(entry => [entry.path, entry]))
  const chosen = new Map<string, TreeEntry>()
  for (const each of wanted) {
    checkedPath(each)
    refuseLinkAbove(byPath, each)
    for (const entry of isPattern(each)
      ? entries.filter(({ path }) => pathFits(path, each))
      : [byPath.get(each)]) {
      if (entry?.kind === 'link') {
        throw PATH_IS_LINK(entry.path, entry.path)
      }
      if (entry?.kind === 'file') {
        chosen.set(entry.path, entry)
      }
    }
  }
  const files = [...chosen.values()]
  if (sizeOf(files) > MOST_KIB * 1024) {
    throw tooLarge(files)
  }
  return files
}

/** A folder that is a link has no entries below it in the tree, so a path through it would only seem to be missing. */
function refuseLinkAbove(byPath: ReadonlyMap<string, TreeEntry>, wanted: string): void {
  const parts = fixedPartsOf(wanted)
  for (let length = 1; length <= parts.length; length++) {
    const above = parts.slice(0, length).join('/')
    if (byPath.get(above)?.kind === 'link') {
      throw PATH_IS_LINK(above, wanted)
    }
  }
}

function tooLarge(files: readonly TreeEntry[]): Error {
  const largest = files.reduce((a, b) => (b.bytes > a.bytes ? b : a))
  return TEXTS_TOO_LARGE(largest.path, MOST_KIB)
}

function sizeOf(files: readonly TreeEntry[]): number {
  return files.reduce((sum, file) => sum + file.bytes, 0)
}
