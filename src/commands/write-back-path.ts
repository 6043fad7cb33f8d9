import { pathFits } from './path-pattern.ts'

/** The files that may be written into a repository, whatever a manager asks for: none that anything is run or built from. */
export const WRITE_BACK_PATHS: readonly string[] = ['**/URL.md']

/** Relative, within the repository, and one that we may write. */
export function isWriteBackPath(path: string): boolean {
  const parts = path.split('/')
  return (
    WRITE_BACK_PATHS.some(pattern => pathFits(path, pattern)) &&
    !/[\p{C}\\:]/u.test(path) &&
    parts.every(part => part !== '' && !/^\.|~\d|[ .]$/.test(part))
  )
}
