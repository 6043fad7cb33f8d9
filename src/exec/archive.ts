import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Decrypter, Encrypter } from 'age-encryption'
import { asFairleadError, FairleadError } from '#lib/errors.ts'
import { readAnswer } from './answer.ts'
import type { ArchiveCall, BringArchive, KeepArchive, KeptFile } from './archive-call.ts'
import { ARCHIVE_DAMAGED } from './archive-errors.ts'
import type { EngineAnswer } from './call.ts'
import type { CallContext } from './call-context.ts'
import { withinLimits } from './deadline.ts'
import { engineError } from './engine-error.ts'
import { ENGINE_REFUSED } from './errors.ts'
import { measure, removeKept, written } from './kept-file.ts'
import { open } from './request.ts'
import { sendFile, takeFile } from './send-file.ts'

/** Streams a large file, or removes it. */
export async function performArchive<T>(call: ArchiveCall<T>, context: CallContext): Promise<T> {
  switch (call.operation) {
    case 'keep':
      return call.read(await withEngine(call, context, stop => keep(call, stop)))
    case 'bring':
      return call.read(await withEngine(call, context, stop => bring(call, stop)))
    case 'forget':
      await removeKept(call.file)
      return call.read(undefined)
    case 'send':
      return call.read(await sendFile(call, context))
    case 'take':
      return call.read(await takeFile(call, context))
  }
}

async function withEngine<T>(
  call: KeepArchive<unknown> | BringArchive<unknown>,
  { clock, signal }: CallContext,
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const name = `${call.operation} ${call.file}`
  return await withinLimits({ call: name, timeoutMs: call.timeoutMs, clock, signal }, async stop => {
    try {
      return await work(stop)
    } catch (error) {
      stop.throwIfAborted()
      throw engineError(error, call.engine, name)
    }
  })
}

async function keep(call: KeepArchive<unknown>, stop: AbortSignal): Promise<KeptFile> {
  const { engine, path, file, recipients, maxBytes } = call
  const answer = await open({ engine, method: 'GET', path, headers: { host: 'incus' }, signal: stop })
  const status = answer.statusCode ?? 0
  if (status !== 200) {
    answer.destroy()
    throw ENGINE_REFUSED(`GET ${path}`, status, '')
  }
  const encrypter = new Encrypter()
  for (const recipient of recipients) {
    encrypter.addRecipient(recipient)
  }
  const sealed = await encrypter.encrypt(Readable.toWeb(answer) as ReadableStream<Uint8Array>)
  return await written(Readable.fromWeb(sealed as never), { file, maxBytes, signal: stop })
}

async function bring(call: BringArchive<unknown>, stop: AbortSignal): Promise<EngineAnswer> {
  const { engine, path, file, headers, identity, sha256 } = call
  const measured = measure(Number.POSITIVE_INFINITY, file)
  const source = createReadStream(file)
  // Its failure is seen where it is read.
  pipeline(source, measured.stream).catch(() => undefined)
  let damage: FairleadError | undefined
  const damaged = (error: unknown) => {
    damage = error instanceof FairleadError ? error : ARCHIVE_DAMAGED(file, asFairleadError(error).message)
    return damage
  }
  try {
    const decrypter = new Decrypter()
    decrypter.addIdentity(identity.reveal())
    const plain = await decrypter
      .decrypt(Readable.toWeb(measured.stream) as ReadableStream<Uint8Array>)
      .catch(error => {
        throw damaged(error)
      })
    const body = Readable.fromWeb(plain as never)
    body.on('error', damaged)
    const all = { host: 'incus', ...headers }
    const answer = await open({ engine, method: 'POST', path, headers: all, body, signal: stop })
    const read = await readAnswer(answer, undefined, `POST ${path}`)
    if (read.status < 300 && measured.facts().sha256 !== sha256) {
      throw ARCHIVE_DAMAGED(file, 'its checksum is another one')
    }
    return read
  } catch (error) {
    throw damage ?? error
  } finally {
    source.destroy()
  }
}
