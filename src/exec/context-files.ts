import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { join } from 'node:path'
import { type DockerIgnore, parseDockerIgnore } from '#formats/docker-ignore.ts'
import { CONTEXT_CHANGED, DOCKERIGNORE_INVALID, FILE_TOO_LARGE } from './errors.ts'
import { fileError, systemCode } from './file-error.ts'

const MAX_IGNORE_BYTES = 256 * 1024

/** What is left out of a build context: the Dockerfile's own .dockerignore counts before that of the context. */
export async function ignoreOf(context: string, dockerfile: string): Promise<DockerIgnore> {
  for (const name of [`${dockerfile}.dockerignore`, '.dockerignore']) {
    const text = await textOf(join(context, name))
    if (text !== undefined) {
      const ignore = parseDockerIgnore(text)
      if (ignore.invalid !== undefined) {
        throw DOCKERIGNORE_INVALID(name, ignore.invalid)
      }
      return ignore
    }
  }
  return parseDockerIgnore('')
}

async function textOf(path: string): Promise<string | undefined> {
  const stats = await lstat(path).catch(() => undefined)
  if (!stats?.isFile()) {
    return undefined
  }
  if (stats.size > MAX_IGNORE_BYTES) {
    throw FILE_TOO_LARGE(path, stats.size, MAX_IGNORE_BYTES)
  }
  return (await readWhole(path, stats.size)).toString('utf8')
}

export async function readWhole(path: string, size: number): Promise<Buffer> {
  const file = await openFile(path)
  try {
    const content = Buffer.allocUnsafe(size)
    let at = 0
    while (at < size) {
      const { bytesRead } = await file.read(content, at, size - at, at)
      if (bytesRead === 0) {
        throw CONTEXT_CHANGED(path)
      }
      at += bytesRead
    }
    return content
  } finally {
    await file.close()
  }
}

/** Never what a link leads to. */
export async function openFile(path: string) {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    throw systemCode(error) === 'ELOOP' || systemCode(error) === 'ENOENT'
      ? CONTEXT_CHANGED(path)
      : fileError('read', path, error)
  }
}
