import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '#lib/package-root.ts'

interface Bundle {
  /** Below .cache/parts or .cache/web. */
  readonly folder: string
  /** Everything it was made of: path below the root, and size and times of the file. */
  readonly inputs: Readonly<Record<string, string>>
}

/**
 * The file that a part is started with. In a checkout that is a bundle of exactly the sources that are there now,
 * made when there is none; the sources themselves where no bundle can be made; what was shipped where there are no
 * sources.
 */
export function programOf(part: 'manager' | 'worker' | 'guardian', root = PACKAGE_ROOT): string {
  const sources = join(root, 'src', part, 'main.ts')
  if (!existsSync(sources)) {
    return join(root, 'dist', part, `${part}.js`)
  }
  const folder = freshBuild(root, 'parts') ?? makeBundle(root)
  return folder === undefined ? sources : join(folder, part, `${part}.js`)
}

/** The folder of a build below .cache that is of what is there now. Stale is what differs in a single file, in whatever way. */
export function freshBuild(root: string, name: 'parts' | 'web'): string | undefined {
  const cache = join(root, '.cache', name)
  try {
    const { folder, inputs } = JSON.parse(readFileSync(join(cache, 'current.json'), 'utf8')) as Bundle
    const isFresh = Object.entries(inputs).every(([path, stamp]) => stampOf(join(root, path)) === stamp)
    return isFresh && existsSync(join(cache, folder)) ? join(cache, folder) : undefined
  } catch {
    // Never made, or a source is gone.
    return undefined
  }
}

function stampOf(file: string): string {
  const { size, mtimeNs, ctimeNs } = statSync(file, { bigint: true })
  return `${size} ${mtimeNs} ${ctimeNs}`
}

/** By a process of its own: the bundler is a development tool, absent where only what runs was installed. */
function makeBundle(root: string): string | undefined {
  spawnSync(process.execPath, [join(root, 'scripts/bundle.ts')], { cwd: root, env: {}, stdio: 'ignore' })
  return freshBuild(root, 'parts')
}
