import type { TreeEntry } from '#programs/git-tree.ts'

/** As many paths as a frame of the protocol may carry; when there are more, those nearest to the root. */
export function withinFrame(entries: readonly TreeEntry[], limit: { most: number; bytes: number }): string[] {
  const paths = entries.map(entry => entry.path)
  let left = limit.bytes
  function fits(path: string): boolean {
    left -= Buffer.byteLength(JSON.stringify(path)) + 1
    return left >= 0
  }
  if (paths.length <= limit.most && paths.every(fits)) {
    return paths
  }
  left = limit.bytes
  return paths
    .map(path => ({ path, depth: path.split('/').length }))
    .sort((a, b) => a.depth - b.depth)
    .map(each => each.path)
    .slice(0, limit.most)
    .filter(fits)
}
