import { createReadStream } from 'node:fs'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { systemClock } from '#lib/clock.ts'

interface Reply {
  readonly type: string
  readonly operation?: string
  readonly metadata: unknown
  readonly error?: string
}

/** One request to the API behind a socket. Waits for the end of what it begins, and gives what that left. */
export async function done(socket: string, method: string, path: string, body?: unknown): Promise<unknown> {
  return await settled(socket, await send(socket, method, path, body))
}

async function settled(socket: string, reply: Reply): Promise<unknown> {
  if (reply.type !== 'async') {
    return reply.metadata
  }
  for (;;) {
    const { metadata } = await send(socket, 'GET', `${reply.operation}/wait?timeout=120`)
    const { status_code, metadata: left } = metadata as { status_code: number; metadata?: unknown }
    // Of what goes on at another member of a cluster the daemon tells at once.
    if (status_code >= 200) {
      return left
    }
    await systemClock.sleep(50)
  }
}

/** One request to the API behind a socket; what it begins is not waited for. */
export async function send(socketPath: string, method: string, path: string, body?: unknown): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const sent = request({ socketPath, method, path, headers: { host: 'incus' }, agent: false }, answer =>
    read(answer).then(resolve, reject),
  )
  sent.on('error', reject)
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  return await promise
}

/** A file as an image. */
export async function upload(socketPath: string, file: string): Promise<{ fingerprint: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const headers = { host: 'incus', 'content-type': 'application/octet-stream' }
  const sent = request({ socketPath, method: 'POST', path: '/1.0/images', headers, agent: false }, answer =>
    read(answer).then(resolve, reject),
  )
  sent.on('error', reject)
  await pipeline(createReadStream(file), sent)
  return (await settled(socketPath, await promise)) as { fingerprint: string }
}

async function read(answer: NodeJS.ReadableStream): Promise<Reply> {
  const reply = JSON.parse(await text(answer)) as Reply
  if (reply.type === 'error') {
    throw new Error(reply.error)
  }
  return reply
}
