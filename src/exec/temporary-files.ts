import { chmod, mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { revealed } from '#lib/secret.ts'
import type { TemporaryFile } from './call.ts'
import { fileError } from './file-error.ts'

const PREFIX = 'fairlead-call-'

export interface TemporaryFiles extends AsyncDisposable {
  /** Undefined when there are none. */
  readonly folder?: string
  /** The text with each `{file:NAME}` of a known file replaced by its path, and `{file:.}` by their folder. */
  fill(text: string): string
}

/** Writes the files of one call into a private folder; disposing removes it. Without files nothing is made. */
export async function writeTemporaryFiles(
  files: readonly TemporaryFile[],
  root = tmpdir(),
): Promise<TemporaryFiles> {
  if (files.length === 0) {
    return { fill: text => text, [Symbol.asyncDispose]: async () => {} }
  }
  files.forEach(checkName)
  // The pid in the name lets removeTemporaryFiles() tell what a dead worker left from what another one still uses.
  const folder = await mkdtemp(join(root, `${PREFIX}${process.pid}-`)).catch(error => {
    throw fileError('write', root, error)
  })
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    await chmod(folder, 0o700)
    for (const file of files) {
      await writeFile(join(folder, file.name), file)
    }
  } catch (error) {
    await remove()
    throw fileError('write', folder, error)
  }
  const paths = new Map([['.', folder], ...files.map(file => [file.name, join(folder, file.name)] as const)])
  return {
    folder,
    fill: text => text.replace(/\{file:([\w.-]+)\}/g, (whole, name: string) => paths.get(name) ?? whole),
    [Symbol.asyncDispose]: remove,
  }
}

/** Removes the files of calls whose worker no longer runs, except these folders. */
export async function removeTemporaryFiles(root = tmpdir(), kept: readonly string[] = []): Promise<void> {
  for (const name of await readdir(root)) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1])
    const isLeft = pid === process.pid || (pid > 0 && !isRunning(pid))
    if (isLeft && !kept.includes(join(root, name))) {
      // One that belongs to somebody else cannot be removed and is not ours.
      await rm(join(root, name), { recursive: true, force: true }).catch(() => {})
    }
  }
}

async function writeFile(path: string, { content, executable }: TemporaryFile): Promise<void> {
  const mode = executable ? 0o700 : 0o600
  // wx is O_EXCL: a file or link that is already there is an error, never written through.
  const file = await open(path, 'wx', mode)
  try {
    await file.chmod(mode)
    await file.writeFile(revealed(content))
  } finally {
    await file.close()
  }
}

function checkName({ name }: TemporaryFile): void {
  if (!/^[\w-][\w.-]*$/.test(name)) {
    throw new Error(`A temporary file cannot be called ${JSON.stringify(name)}`)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
