import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { performGreeting } from './greeting.ts'

async function greetingOf(say: (socket: Socket) => void, timeoutMs = 10_000): Promise<string> {
  const server = createServer(say).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const call = { kind: 'greeting', host: '127.0.0.1', port, timeoutMs, read: (line: string) => line } as const
  try {
    return await performGreeting(call, new AbortController().signal)
  } finally {
    server.close()
  }
}

test('the first line of a server is its greeting, whatever comes after it', async () => {
  assert.equal(await greetingOf(socket => void socket.end('SSH-2.0-a\r\nmore')), 'SSH-2.0-a')
})

test('a server that closes without a word, is silent, or talks without end greets with nothing more', async () => {
  assert.equal(await greetingOf(socket => void socket.end()), '')
  assert.equal(await greetingOf(() => {}, 50), '')
  assert.equal((await greetingOf(socket => void socket.write('x'.repeat(5_000)))).length, 255)
})

test('nobody at the port is an answer too', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  const call = {
    kind: 'greeting',
    host: '127.0.0.1',
    port,
    timeoutMs: 5_000,
    read: (line: string) => line,
  } as const
  assert.equal(await performGreeting(call, new AbortController().signal), '')
})
