import { pathFits } from './path-pattern.ts'

/** The files that people may have committed for them, whatever a manager asks for: which stack runs with which options. */
const COMMITTED_PATHS: readonly string[] = ['**/stack-instance.*.*.json', '**/simple-stack-instance.*.*.json']

/** In the first spelling; no definition, and no description of one's options. */
const FIRST_SPELLING =
  /(?:^|\/)stack-(?!(?:definition|instance)[.-])[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.json$/

/** Stacks in the first spelling: such a Compose file may be taken away as well. */
const REMOVED_PATHS: readonly string[] = [
  '**/docker-compose-*.yml',
  '**/docker-compose-*.yaml',
  '**/docker-compose-*.json',
]

/** Relative, within the repository, in no hidden folder, and one that we may write, or remove. */
export function isCommittedPath(path: string, after: string | null): boolean {
  const allowed = after === null ? [...COMMITTED_PATHS, ...REMOVED_PATHS] : COMMITTED_PATHS
  return (
    (FIRST_SPELLING.test(path) || allowed.some(pattern => pathFits(path, pattern))) &&
    path.split('/').every(part => /^[A-Za-z0-9_-][A-Za-z0-9_. -]*$/.test(part))
  )
}
