import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { freshBuild } from './part-program.ts'

/**
 * In a checkout: builds the web interface when there is no build of exactly the sources that are there now. Where none can
 * be made the manager serves what it has.
 */
export function makeWeb(note: (text: string) => void, root = PACKAGE_ROOT): void {
  if (!existsSync(join(root, 'web/main.ts')) || freshBuild(root, 'web') !== undefined) {
    return
  }
  note('Building the web interface, once after each change of it …')
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/web.ts')], {
    cwd: root,
    env: {},
    encoding: 'utf8',
  })
  if (status !== 0) {
    const reason = stderr.trim().split('\n').at(-1) ?? ''
    note(`The web interface could not be built (${reason}); everything else works. Try: npm ci`)
  }
}
