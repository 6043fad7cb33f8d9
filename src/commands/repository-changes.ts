import { trimEnd } from '#lib/trim-end.ts'
import { OBJECT_NOT_FOUND } from '#programs/git-errors.ts'
import { changedPaths } from '#programs/git-tree.ts'
import type { Hands } from './command.ts'
import { pathFits } from './path-pattern.ts'
import { isCalled } from './repository-remote.ts'

export interface Comparison {
  readonly from: string
  readonly to: string
  readonly watch: readonly string[]
  /** What changed in these counts as nothing. */
  readonly ignore?: readonly string[]
}

export interface Changes {
  /** `unknown`: a commit is not in the mirror, or more changed than can be looked at. */
  readonly compared: 'yes' | 'unknown'
  /** Paths that changed, and those of them that are watched. */
  readonly changed: number
  readonly watched: number
  /** Some of the watched ones. */
  readonly examples: readonly string[]
}

const MOST_EXAMPLES = 10

/** What changed between two commits of a mirror, however many commits lie between them and whatever was forced. */
export async function compareCommits(
  hands: Hands,
  mirror: string,
  { from, to, watch, ignore = [] }: Comparison,
): Promise<Changes> {
  try {
    const changed = await hands.perform(changedPaths(mirror, from, to))
    const paths = changed.filter(path => !ignore.some(pattern => pathFits(path, pattern)))
    const watched = paths.filter(path => watch.some(pattern => isWatched(path, pattern)))
    const examples = watched.slice(0, MOST_EXAMPLES).map(path => path.slice(0, 200))
    return { compared: 'yes', changed: paths.length, watched: watched.length, examples }
  } catch (error) {
    if (OBJECT_NOT_FOUND.matches(error) || isCalled(error, 'OUTPUT_TOO_LARGE')) {
      return { compared: 'unknown', changed: 0, watched: 0, examples: [] }
    }
    throw error
  }
}

/** A folder stands for everything in it. */
export function isWatched(path: string, pattern: string): boolean {
  const plain = trimEnd(pattern.replace(/^\.\//, ''), '/')
  return pathFits(path, plain) || pathFits(path, `${plain}/**`)
}
