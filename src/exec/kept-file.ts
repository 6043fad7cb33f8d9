import { createHash } from 'node:crypto'
import { mkdir, open as openFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { KeptFile } from './archive-call.ts'
import { ARCHIVE_TOO_LARGE } from './archive-errors.ts'
import { syncFolder } from './copy-tree.ts'

interface Writing {
  readonly file: string
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** Throws unless it is the right one. */
  readonly check?: (facts: KeptFile) => void
}

/** Under another name until it is whole and on the disk. */
export async function written(from: Readable, { file, maxBytes, signal, check }: Writing): Promise<KeptFile> {
  const folder = dirname(file)
  const part = `${file}.part`
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await removeKept(file)
  const handle = await openFile(part, 'wx', 0o600)
  try {
    const measured = measure(maxBytes, file)
    await pipeline(
      from,
      measured.stream,
      async pieces => {
        for await (const piece of pieces) {
          await handle.appendFile(piece as Buffer)
        }
      },
      { signal },
    )
    check?.(measured.facts())
    await handle.sync()
    await rename(part, file)
    await syncFolder(folder)
    return measured.facts()
  } catch (error) {
    await rm(part, { force: true })
    throw error
  } finally {
    await handle.close()
  }
}

/** Also what was left of one that was never whole. */
export async function removeKept(file: string): Promise<void> {
  await rm(file, { force: true })
  await rm(`${file}.part`, { force: true })
}

/** Counts and hashes what goes through; ARCHIVE_TOO_LARGE. */
export function measure(maxBytes: number, file: string) {
  const hash = createHash('sha256')
  let bytes = 0
  let sha256: string | undefined
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      hash.update(chunk)
      done(bytes > maxBytes ? ARCHIVE_TOO_LARGE(file, maxBytes) : null, chunk)
    },
  })
  return {
    stream,
    facts(): KeptFile {
      sha256 ??= hash.digest('hex')
      return { bytes, sha256 }
    },
  }
}
