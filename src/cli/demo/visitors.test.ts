import { deepEqual, equal, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { startVisitors, waitForPage } from './visitors.ts'

test('visitors count each request and what each failed one met with', async () => {
  const connections = new Set<unknown>()
  let served = 0
  const server = createServer((request, response) => {
    connections.add(request.socket)
    served += 1
    response.writeHead(served % 3 === 0 ? 502 : 200).end(request.headers.host)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const site = { port: (server.address() as AddressInfo).port, host: 'hello.localhost' }
  const visitors = startVisitors(site, { clock: systemClock, perSecond: 100 })
  while (visitors.failures.length < 2) {
    await systemClock.sleep(5)
  }
  await visitors.stop()
  equal(visitors.requests, served)
  // Keep-alive is off: each visitor is a new one.
  equal(connections.size, served)
  deepEqual(new Set(visitors.failures), new Set(['status 502']))

  server.close()
  await once(server, 'close')
  const nobody = startVisitors(site, { clock: systemClock, perSecond: 100 })
  while (nobody.failures.length === 0) {
    await systemClock.sleep(5)
  }
  await nobody.stop()
  ok(nobody.failures[0]?.includes('ECONNREFUSED'))
})

test('a page counts when it has the new content and status 200', async () => {
  const pages = [
    [200, 'old'],
    [500, 'new'],
    [200, 'new'],
  ] as const
  let asked = 0
  const server = createServer((_, response) => {
    const [status, body] = pages[Math.min(asked, 2)] ?? [404, '']
    asked += 1
    response.writeHead(status).end(body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const site = { port: (server.address() as AddressInfo).port, host: 'hello.localhost' }
  await waitForPage(site, 'new', { clock: systemClock, signal: new AbortController().signal })
  equal(asked, 3)
  server.close()
})
