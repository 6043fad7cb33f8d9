import { realpathSync } from 'node:fs'
import { join, relative } from 'node:path'
import { PACKAGE_ROOT } from '#lib/package-root.ts'

const PROGRAM = join(PACKAGE_ROOT, 'bin/fairlead')

/** How this program is called from a folder: `fairlead` when the search path leads to it, else by its path. */
export function programName(searchPath: string | undefined, folder: string): string {
  for (const place of (searchPath ?? '').split(':')) {
    const found = realPathOf(join(place, 'fairlead'))
    if (found !== undefined) {
      return found === realPathOf(PROGRAM) ? 'fairlead' : byPath(folder)
    }
  }
  return byPath(folder)
}

function byPath(folder: string): string {
  const path = relative(folder, PROGRAM)
  return path.startsWith('..') ? PROGRAM : path.includes('/') ? path : `./${path}`
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
