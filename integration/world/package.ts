import { mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun } from './command.ts'

const ROOT = join(import.meta.dirname, '../..')

/** What npm would publish of this checkout, unpacked into the folder as npm does; gives the package's folder. */
export async function unpackedPackage(folder: string): Promise<string> {
  const PATH = `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH ?? ''}`
  const packing = ['pack', '--silent', '--pack-destination', folder]
  const text = await mustRun('npm', packing, {
    folder: ROOT,
    env: { PATH, HOME: folder },
    timeoutMs: 300_000,
  })
  const file = join(folder, text.trim().split('\n').at(-1) ?? '')
  await mustRun('tar', ['xzf', file, '-C', folder], { folder })
  return join(folder, 'package')
}

/** A folder with the packages that ours needs where it runs: links to those of this checkout. */
export async function packagesIn(folder: string): Promise<string> {
  const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  for (const name of Object.keys(dependencies)) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await symlink(join(ROOT, 'node_modules', name), join(folder, name))
  }
  await mkdir(join(folder, '.bin'))
  await symlink('../node/bin/node', join(folder, '.bin/node'))
  return folder
}
