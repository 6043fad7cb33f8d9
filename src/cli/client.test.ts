import { deepEqual, equal, rejects } from 'node:assert/strict'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { FairleadError } from '#lib/errors.ts'
import { type Client, createClient } from './client.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A client of a real server that gives these answers, one request after the other. */
async function clientOf(
  stack: AsyncDisposableStack,
  ...answers: Answer[]
): Promise<Client & { asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = []
  const server: Server = createServer((request, response) => {
    asked.push(request)
    const answer = answers[Math.min(asked.length, answers.length) - 1]
    answer?.(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(async () => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const client = createClient({
    managerUrl: `http://127.0.0.1:${port}`,
    token: 'flt_x',
    tokenFile: undefined,
  })
  return { ...client, asked }
}

function json(status: number, value: unknown): Answer {
  return (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

describe('the client of the REST API', () => {
  test('sends the token, and only to the manager', async () => {
    await using stack = new AsyncDisposableStack()
    const client = await clientOf(stack, json(200, { items: [] }))
    deepEqual(await client.get('/apps'), { items: [] })
    equal(client.asked[0]?.headers.authorization, 'Bearer flt_x')
    equal(client.asked[0]?.url, '/api/v1/apps')
  })

  test('makes an error of an answer that is none of success, with its hint and problems', async () => {
    await using stack = new AsyncDisposableStack()
    const problem = {
      code: 'BAD_INPUT',
      detail: 'The name is not valid.',
      hint: 'Choose another.',
      retry: 'never',
      status: 422,
      problems: [{ path: 'name', message: 'must match' }],
    }
    const client = await clientOf(stack, json(422, problem))
    await rejects(client.send('POST', '/apps', { name: '-' }), (error: FairleadError) => {
      deepEqual(
        [error.code, error.message, error.hint, error.problems],
        ['BAD_INPUT', 'The name is not valid.', 'Choose another.', problem.problems],
      )
      return true
    })
  })

  test('an answer of something that is no manager is an error too', async () => {
    await using stack = new AsyncDisposableStack()
    const client = await clientOf(stack, (_, response) => response.writeHead(502).end('<html>'))
    await rejects(client.get('/apps'), { code: 'HTTP_502' })
  })

  test('without a token nothing is sent', async () => {
    const empty = join(tmpdir(), `fairlead-no-token-${process.pid}`)
    const client = createClient({ managerUrl: 'http://127.0.0.1:1', token: undefined, tokenFile: empty })
    await rejects(client.get('/apps'), { code: 'NO_TOKEN', status: 401 })
    await writeFile(empty, 'flt_y\n')
    await using stack = new AsyncDisposableStack()
    stack.defer(() => rm(empty))
    const other = createClient({ managerUrl: 'http://127.0.0.1:1', token: undefined, tokenFile: empty })
    await rejects(other.get('/apps'), { code: 'MANAGER_UNREACHABLE' })
  })

  test('a question whose connection is cut is asked again, a change is not', async () => {
    await using stack = new AsyncDisposableStack()
    const cut: Answer = request => request.socket.destroy()
    const client = await clientOf(stack, cut, json(200, { ok: true }), cut)
    deepEqual(await client.get('/apps'), { ok: true })
    await rejects(client.send('POST', '/apps', {}), { code: 'MANAGER_UNREACHABLE' })
    equal(client.asked.length, 3)
  })

  test('events go on where a lost connection broke off, also when no manager leads for a while', async () => {
    await using stack = new AsyncDisposableStack()
    const first: Answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('retry: 2000\n\nid: 1\ndata: {"n":1}\n\n: still here\n\nid: 2\nevent: step\nda')
      response.write('ta: {"n":2}\n\n', () => response.destroy())
    }
    const second: Answer = (_, response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end('id: 3\ndata: {"n":\ndata: 3}\n\n')
    const between: Answer = (_, response) => {
      const problem = {
        code: 'LEADER_MISSING',
        status: 503,
        retry: { afterSeconds: 2 },
        detail: '',
        hint: '',
      }
      response.writeHead(503, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem))
    }
    const client = await clientOf(stack, first, between, second)
    const events = await Array.fromAsync(client.events('/events', new AbortController().signal))
    deepEqual(events, [
      { id: '1', event: 'message', data: { n: 1 } },
      { id: '2', event: 'step', data: { n: 2 } },
      { id: '3', event: 'message', data: { n: 3 } },
    ])
    equal(client.asked[2]?.headers['last-event-id'], '2')
  })

  test('events end when they are no longer wanted', async () => {
    await using stack = new AsyncDisposableStack()
    const client = await clientOf(stack, (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('id: 1\ndata: 1\n\n')
    })
    const enough = new AbortController()
    for await (const { data } of client.events('/events', enough.signal)) {
      equal(data, 1)
      enough.abort()
    }
  })
})
