import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { mustRun } from './command.ts'
import type { System } from './system.ts'

/** What a base image of notebooks is built of. */
export interface BaseContext {
  readonly name: string
  readonly python: string
  readonly files: Readonly<Record<string, string>>
}

/** Base images in the registry of the system, and the setting that names them. */
export async function makeNotebookBases(
  system: System,
  contexts: readonly BaseContext[],
): Promise<Record<string, string>> {
  const { address } = system.registry
  const { username, password } = system.registryOptions
  // The login is kept in the folder of the system.
  const docker = (...args: string[]) => mustRun('docker', args, { folder: system.folder, timeoutMs: 900_000 })
  await docker('login', '--username', username, '--password', password, address)
  const bases = []
  for (const { name, python, files } of contexts) {
    const folder = join(system.folder, `base-${name}`)
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    const image = `${address}/nb/${name}`
    await docker('build', '--quiet', '--tag', `${image}:1`, folder)
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(await docker('push', `${image}:1`))?.[1]
    bases.push({ name, reference: `${image}@${digest}`, pythons: [python], tools: [] })
  }
  const file = join(system.folder, 'notebooks.json')
  await writeFile(file, JSON.stringify({ bases }))
  return { FAIRLEAD_NOTEBOOKS_FILE: file }
}
