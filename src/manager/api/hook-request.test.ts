import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type { FastifyRequest } from 'fastify'
import { createBodyReader } from './hook-request.ts'

const LARGE = 5 * 1024 * 1024 - 10

test('what has come of all bodies together is bounded, small ones come in all the same, and ended ones make room', async () => {
  const read = createBodyReader(({ id }) => id)
  const begin = (address: string, bytes: number) => {
    const payload = new PassThrough({ highWaterMark: LARGE * 2 })
    payload.write(Buffer.alloc(bytes))
    const request = { id: address, headers: {}, raw: { socket: new EventEmitter() } }
    const body = read(request as unknown as FastifyRequest, payload as unknown as IncomingMessage)
    return { payload, body }
  }
  const open = Array.from({ length: 12 }, (_, index) => begin(`large ${index}`, LARGE))
  await assert.rejects(begin('one more', LARGE).body, { code: 'BUSY' })
  const small = begin('small', 200_000)
  small.payload.end()
  assert.equal((await small.body).length, 200_000)
  for (const { payload } of open) {
    payload.end()
  }
  await Promise.all(open.map(({ body }) => body))
  const late = begin('one more', LARGE)
  late.payload.end()
  assert.equal((await late.body).length, LARGE)
})
