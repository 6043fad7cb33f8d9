import { realpathSync } from 'node:fs'
import { join, relative } from 'node:path'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import type { Environment } from '#lib/settings.ts'

const PROGRAM = join(PACKAGE_ROOT, 'bin/fairlead')
/** That, or what an installed machine has in its place. */
const PROGRAMS = [PROGRAM, join(PACKAGE_ROOT, 'deploy/fairlead')]

/**
 * How this program is called from a folder: `npx fairlead` when npx started it, `fairlead` when the search path leads to
 * it, else by its path.
 */
export function programName({ PATH, npm_command }: Environment, folder: string): string {
  if (npm_command === 'exec') {
    return 'npx fairlead'
  }
  for (const place of (PATH ?? '').split(':')) {
    const found = realPathOf(join(place, 'fairlead'))
    if (found !== undefined) {
      return PROGRAMS.some(program => found === realPathOf(program)) ? 'fairlead' : byPath(folder)
    }
  }
  return byPath(folder)
}

/** The text with the commands that it names as they are called here: hints are written for a program that is installed. */
export function asCalled(text: string, program: string): string {
  return text.replaceAll(/"fairlead(?=[ "])/g, () => `"${program}`)
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
