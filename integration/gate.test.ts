import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import type { Hands } from '#commands/command.ts'
import { tokenFile } from '#commands/container-token.ts'
import { routeAdmit, routePoint, routeRemove } from '#commands/route.ts'
import { NAME_NOT_ROUTED } from '#commands/route-errors.ts'
import { systemClock } from '#lib/clock.ts'
import { openGate } from '#worker/gate.ts'
import { startRoutedWorld } from './world/routed.ts'
import { temporaryFolder } from './world/temporary-folder.ts'
import { type Asked, askHost, cookieOf } from './world/visitor.ts'

const HOST = 'churn.localhost'
const TOKEN = 'only-the-proxy-knows'

describe('a guarded name', () => {
  test('opens for whoever brings a ticket, authenticates them to the app, and shuts out all others', async () => {
    await using world = new AsyncDisposableStack()
    const { ask, hands, port, seen } = await startGuarded(world)
    const stranger = await ask()
    equal(stranger.status, 401)
    match(stranger.body, /not open to everybody/)
    match(stranger.body, /https:\/\/fairlead\.example\.org\/open/)
    equal((await ask({ headers: { authorization: `token ${TOKEN}` } })).status, 401)

    const until = systemClock.now() + 60_000
    const admission = { name: 'churn', ticket: sha256('t1cket'), visitor: 'ann', until }
    deepEqual(await routeAdmit.run(hands, admission), { origins: [`http://${HOST}:${port}`] })
    const opened = await ask({ path: '/_fairlead/open?s=t1cket&to=/lab' })
    equal(opened.status, 303)
    equal(opened.headers.location, '/lab')
    equal((await ask({ path: '/_fairlead/open?s=t1cket' })).status, 401, 'once')
    const cookie = cookieOf(opened)
    seen.length = 0

    const origin = `http://${HOST}:${port}`
    const headers = { cookie, authorization: 'token of-a-stranger', 'Fairlead-Method': 'GET' }
    const page = await ask({ path: '/lab?x=1', headers })
    equal(`${page.status} ${page.body}`, '200 GET /lab?x=1 ')
    equal(page.headers['set-cookie'], undefined)
    equal(page.headers['fairlead-authorization'], undefined)
    const saved = await ask({
      method: 'PUT',
      path: '/api',
      body: 'x'.repeat(100_000),
      headers: { ...headers, origin },
    })
    equal(saved.body, `PUT /api ${'x'.repeat(100_000)}`)
    equal(
      (await ask({ method: 'PUT', path: '/api', headers: { ...headers, origin: 'http://other.localhost' } }))
        .status,
      403,
    )
    equal(seen.length, 2)
    for (const request of seen) {
      equal(request.headers.authorization, `token ${TOKEN}`)
      equal(request.headers.cookie, undefined)
    }

    const url = `ws://127.0.0.1:${port}/api/kernels/channels`
    equal(await echoOf(url, { host: `${HOST}:${port}`, cookie, origin }), 'echo')
    equal(await echoOf(url, { host: `${HOST}:${port}`, origin }), 'refused 401')
    equal(
      await echoOf(url, { host: `${HOST}:${port}`, cookie, origin: 'http://other.localhost' }),
      'refused 403',
    )

    await routeRemove.run(hands, { name: 'churn' })
    equal((await ask({ headers: { cookie } })).status, 404)
    await rejects(routeAdmit.run(hands, admission), NAME_NOT_ROUTED.matches)
  })
})

/** An app behind the gate that says what it was asked, and what the proxy let through to it. */
async function startGuarded(world: AsyncDisposableStack) {
  const routed = await startRoutedWorld(world)
  const folder = await temporaryFolder(world)
  const file = tokenFile(folder, { app: 'churn', deployment: 'd1' })
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${TOKEN}\n`)
  const { switchboard } = routed
  const listen = '127.0.0.1:0'
  const gate = await openGate({ folder, workspace: folder, switchboard, listen, clock: systemClock })
  world.defer(gate.close)
  const hands: Hands = { ...routed.hands, host: { ...routed.hands.host, gate } }
  const [ip] = await routed.switchboard.slots('churn')
  const seen: IncomingMessage[] = []
  const app = createServer(async (request, response) => {
    seen.push(request)
    response.setHeader('set-cookie', '_xsrf=1')
    response.end(`${request.method} ${request.url} ${await text(request)}`)
  })
  const sockets = new WebSocketServer({ server: app })
  sockets.on('connection', socket => socket.on('message', data => socket.send(String(data))))
  await once(app.listen(routed.port, ip), 'listening')
  world.defer(() => {
    sockets.close()
    app.close()
    app.closeAllConnections()
  })
  await routePoint.run(hands, {
    ...{ name: 'churn', hosts: [HOST], port: routed.port, ip, deployment: 'd1' },
    guard: { login: 'https://fairlead.example.org/open' },
  })
  seen.length = 0
  const port = routed.proxy.httpPort
  return { hands, port, seen, ask: (asked: Asked = {}) => askHost({ host: HOST, port }, asked) }
}

/** What comes back over a WebSocket, or that none was opened. */
async function echoOf(url: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const socket = new WebSocket(url, { headers })
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.on('open', () => socket.send('echo'))
  socket.on('message', data => resolve(String(data)))
  socket.on('unexpected-response', (_, response) => resolve(`refused ${response.statusCode}`))
  socket.on('error', error => resolve(error.message))
  const said = await promise
  socket.terminate()
  return said
}

function sha256(of: string): string {
  return createHash('sha256').update(of).digest('hex')
}
