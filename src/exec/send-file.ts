import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { KeptFile, SendArchive, TakeArchive } from './archive-call.ts'
import { ARCHIVE_CUT_OFF, ARCHIVE_DAMAGED, ARCHIVE_TOO_LARGE } from './archive-errors.ts'
import type { CallContext } from './call-context.ts'
import { withinLimits } from './deadline.ts'
import { fileError, systemCode } from './file-error.ts'
import { written } from './kept-file.ts'

/** Gives a file to whoever waits for it, no faster than they take it. */
export async function sendFile(call: SendArchive<unknown>, context: CallContext): Promise<undefined> {
  const { file, partner } = call
  await during(call, context, signal => pipeline(createReadStream(file), partner, { signal }))
}

/** Writes a file that comes in pieces: it is there when all of it came and is what it should be, or not at all. */
export async function takeFile(call: TakeArchive<unknown>, context: CallContext): Promise<KeptFile> {
  const { file, bytes, sha256 } = call
  const check = (facts: KeptFile) => {
    if (facts.bytes < bytes) {
      throw ARCHIVE_CUT_OFF(file)
    }
    if (facts.sha256 !== sha256) {
      throw ARCHIVE_DAMAGED(file, 'its checksum is another one')
    }
  }
  return await during(call, context, signal =>
    written(firstOf(call) as never, { file, maxBytes: bytes, signal, check }),
  )
}

/** Nobody says when it is over: it is when so many bytes came. */
async function* firstOf({ file, partner, bytes }: TakeArchive<unknown>): AsyncGenerator<Buffer> {
  let left = bytes
  for await (const piece of (partner as Readable).iterator({ destroyOnReturn: false })) {
    left -= (piece as Buffer).length
    if (left < 0) {
      throw ARCHIVE_TOO_LARGE(file, bytes)
    }
    yield piece as Buffer
    if (left === 0) {
      return
    }
  }
}

async function during<T>(
  { operation, file, timeoutMs }: SendArchive<unknown> | TakeArchive<unknown>,
  { clock, signal }: CallContext,
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const limits = { call: `${operation} ${file}`, timeoutMs, clock, signal }
  return await withinLimits(limits, async stop => {
    try {
      return await work(stop)
    } catch (error) {
      stop.throwIfAborted()
      throw systemCode(error) === 'ERR_STREAM_PREMATURE_CLOSE'
        ? ARCHIVE_CUT_OFF(file)
        : fileError(operation, file, error)
    }
  })
}
