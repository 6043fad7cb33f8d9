import { pathFits } from './path-pattern.ts'

/** The files that people may have committed for them, whatever a manager asks for: which stack runs with which options. */
export const COMMITTED_PATHS: readonly string[] = [
  '**/stack-instance.*.*.json',
  '**/simple-stack-instance.*.*.json',
]

/** Relative, within the repository, in no hidden folder, and one that we may commit. */
export function isCommittedPath(path: string): boolean {
  return (
    COMMITTED_PATHS.some(pattern => pathFits(path, pattern)) &&
    path.split('/').every(part => /^[A-Za-z0-9_-][A-Za-z0-9_. -]*$/.test(part))
  )
}
