import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '#lib/package-root.ts'

const PUBLIC_BASE = /(?:docker\.io\/library\/)?busybox:1\.37/

/** The files of a folder of `examples/` by their paths; images start from `baseImage` instead of a public one. */
export async function readExample(name: string, baseImage: string): Promise<Record<string, string>> {
  const folder = join(PACKAGE_ROOT, 'examples', name)
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
  const texts = await Promise.all(
    paths.map(async path => [
      path,
      (await readFile(join(folder, path), 'utf8')).replace(PUBLIC_BASE, baseImage),
    ]),
  )
  return Object.fromEntries(texts)
}
