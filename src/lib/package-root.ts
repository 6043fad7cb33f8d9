import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder with Fairlead's package.json, whether this runs from its sources or from a bundle made of them. */
export const PACKAGE_ROOT = rootAbove(import.meta.dirname)

function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(dirname(folder))
}
