import { appendFile, mkdir, open, opendir, readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { STORE_FULL } from '#manager/store/errors.ts'

/** Where logs are kept: each in segments, which are called by the number of their first line. */
export interface LogPlace {
  /** Appends to the segment, which has `before` bytes: all of the text or nothing. */
  append(id: string, segment: number, part: { readonly text: string; readonly before: number }): Promise<void>
  /** Up to so many bytes from the offset on; none where there are no more. */
  read(id: string, segment: number, at: { readonly offset: number; readonly bytes: number }): Promise<Buffer>
  /** Segments that are there, ascending. */
  list(id: string): Promise<readonly number[]>
  /** Cuts the segment off after so many bytes. */
  cut(id: string, segment: number, bytes: number): Promise<void>
  remove(id: string, segment: number): Promise<void>
  removeAll(id: string): Promise<void>
  /** Of which deployments there is a log, in any order. */
  ids(): AsyncIterable<string>
}

const ENDING = '.jsonl'

/** The first segment of a log is `<id>.jsonl` in the folder, further ones are in its folder `<id>`. */
export function logFiles(folder: string): LogPlace {
  const fileOf = (id: string, segment: number) =>
    segment === 1 ? join(folder, `${id}.jsonl`) : join(folder, id, `${segment}.jsonl`)
  return {
    async append(id, segment, { text, before }) {
      const file = fileOf(id, segment)
      try {
        await mkdir(segment > 1 ? join(folder, id) : folder, { recursive: true })
        await appendFile(file, text)
      } catch (error) {
        await truncate(file, before).catch(() => undefined)
        const { code } = error as NodeJS.ErrnoException
        throw code === 'ENOSPC' || code === 'EDQUOT' ? STORE_FULL().with({ cause: error }) : error
      }
    },
    async read(id, segment, { offset, bytes }) {
      try {
        const file = await open(fileOf(id, segment), 'r')
        try {
          const { bytesRead, buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, offset)
          return buffer.subarray(0, bytesRead)
        } finally {
          await file.close()
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
          return Buffer.alloc(0)
        }
        throw error
      }
    },
    async list(id) {
      const first = await stat(fileOf(id, 1)).catch(() => undefined)
      const names = await readdir(join(folder, id)).catch(() => [])
      const further = names.map(name => Number.parseInt(name, 10)).sort((a, b) => a - b)
      return [...(first ? [1] : []), ...further]
    },
    cut: (id, segment, bytes) => truncate(fileOf(id, segment), bytes),
    remove: (id, segment) => rm(fileOf(id, segment), { force: true }),
    async removeAll(id) {
      await rm(fileOf(id, 1), { force: true })
      await rm(join(folder, id), { recursive: true, force: true })
    },
    async *ids() {
      const entries = await opendir(folder).catch(() => [])
      for await (const { name } of entries) {
        if (name.endsWith(ENDING)) {
          yield name.slice(0, -ENDING.length)
        }
      }
    },
  }
}
