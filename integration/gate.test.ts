import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import type { Hands } from '#commands/command.ts'
import { tokenFile } from '#commands/container-token.ts'
import { routeAdmit, routeObserve, routePoint, routeRemove } from '#commands/route.ts'
import { DOMAIN_TAKEN, NAME_NOT_ROUTED } from '#commands/route-errors.ts'
import { routeExpel } from '#commands/route-expel.ts'
import { systemClock } from '#lib/clock.ts'
import { openGate } from '#worker/gate.ts'
import { startRoutedWorld } from './world/routed.ts'
import { temporaryFolder } from './world/temporary-folder.ts'
import { type Asked, askHost, cookieOf, PAGE } from './world/visitor.ts'

const HOST = 'churn.localhost'
const TOKEN = 'only-the-proxy-knows'
const LOGIN = 'https://fairlead.example.org/open'

describe('a guarded name', () => {
  test('opens for whoever brings a ticket, authenticates them to the app, and shuts out all others', async () => {
    await using world = new AsyncDisposableStack()
    const { ask, hands, port, seen } = await startGuarded(world)
    const stranger = await ask()
    equal(stranger.status, 401)
    match(stranger.body, /not open to everybody/)
    match(stranger.body, /https:\/\/fairlead\.example\.org\/open"/)
    const wanted = await ask({ path: '/lab/tree/a.ipynb?x=1', headers: PAGE })
    match(wanted.body, /\/open\?to=%2Flab%2Ftree%2Fa\.ipynb%3Fx%3D1"/)
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
    equal(await echoOf(url, { host: `${HOST}:${port}`, cookie, origin }), 'echo of d1')
    equal(await echoOf(url, { host: `${HOST}:${port}`, origin }), 'refused 401')
    equal(
      await echoOf(url, { host: `${HOST}:${port}`, cookie, origin: 'http://other.localhost' }),
      'refused 403',
    )

    await routeRemove.run(hands, { name: 'churn' })
    equal((await ask({ headers: { cookie } })).status, 404)
    await rejects(routeAdmit.run(hands, admission), NAME_NOT_ROUTED.matches)
  })

  test('that has a part of a host opens for its own visitors alone, and is told the path as it was asked', async () => {
    await using world = new AsyncDisposableStack()
    const prefix = '/nb/churn/'
    const { ask, hands, lead, port, seen } = await startGuarded(world, prefix)
    await lead('sales', '/nb/sales/')
    await rejects(lead('blog', '/nb/churn/deeper/'), DOMAIN_TAKEN.matches)
    await rejects(lead('blog'), DOMAIN_TAKEN.matches)
    const { routes } = await routeObserve.run(hands, { names: ['churn'] })
    equal(routes.churn?.prefix, prefix)
    deepEqual(routes.churn?.guard, { login: LOGIN, isOurs: true })
    equal((await ask({ path: '/' })).status, 404)
    equal((await ask({ path: '/nb/other/' })).status, 404)
    equal((await ask({ path: '/nb/churn' })).headers.location, prefix)
    const stranger = await ask({ path: '/nb/churn/lab?x=1', headers: PAGE })
    equal(stranger.status, 401)
    match(stranger.body, /\/open\?to=%2Flab%3Fx%3D1"/)

    const until = systemClock.now() + 60_000
    const admission = { name: 'churn', ticket: sha256('t1cket'), visitor: 'ann', until }
    const origin = `http://${HOST}:${port}`
    deepEqual(await routeAdmit.run(hands, admission), { origins: [`${origin}/nb/churn`] })
    equal((await ask({ path: '/nb/sales/_fairlead/open?s=t1cket' })).status, 401)
    const opened = await ask({ path: '/nb/churn/_fairlead/open?s=t1cket&to=/lab' })
    equal(`${opened.status} ${opened.headers.location}`, '303 /nb/churn/lab')
    match(String(opened.headers['set-cookie']), /; Path=\/nb\/churn\/; HttpOnly; SameSite=Lax/)
    const cookie = cookieOf(opened)
    seen.length = 0
    const page = await ask({ path: '/nb/churn/lab?x=1', headers: { cookie } })
    equal(`${page.status} ${page.body}`, '200 GET /nb/churn/lab?x=1 ')
    equal(page.headers['service-worker-allowed'], undefined)
    equal(seen[0]?.headers.authorization, `token ${TOKEN}`)
    equal((await ask({ path: '/nb/sales/lab', headers: { cookie } })).status, 401, 'of a neighbour')

    const headers = { host: `${HOST}:${port}`, cookie, origin }
    equal(await echoOf(`ws://127.0.0.1:${port}/nb/churn/api/kernels/channels`, headers), 'echo of d1')
    equal(await echoOf(`ws://127.0.0.1:${port}/nb/sales/api/kernels/channels`, headers), 'refused 401')

    await routeRemove.run(hands, { name: 'churn' })
    equal((await ask({ path: '/nb/churn/lab', headers: { cookie } })).status, 404)
    equal((await ask({ path: '/nb/sales/lab' })).status, 401)
  })
})

describe('a guarded name whose earlier version people work with', () => {
  test('leads who came before to that one until they move, over sockets too, and everybody else to the new one', async () => {
    await using world = new AsyncDisposableStack()
    const { admit, ask, hands, port, replace, switchboard } = await startGuarded(world)
    const cookie = await admit('ann')
    const version = async (of: string) =>
      (await ask({ path: '/api', headers: { cookie: of } })).headers['x-version']
    equal(await version(cookie), 'd1')
    await replace()
    equal(await version(cookie), 'd1')
    const socket = (of: string) =>
      echoOf(`ws://127.0.0.1:${port}/channels`, {
        host: `${HOST}:${port}`,
        cookie: of,
        origin: `http://${HOST}:${port}`,
      })
    equal(await socket(cookie), 'echo of d1')
    const later = await admit('bob')
    equal(await version(later), 'd2')
    equal(await socket(later), 'echo of d2')
    equal((await ask({ path: '/lab', headers: { ...PAGE, cookie: later } })).status, 200)

    const told = await ask({ path: '/lab?x=1', headers: { ...PAGE, cookie } })
    equal(told.status, 300)
    match(told.body, /_fairlead\/move\?to=%2Flab%3Fx%3D1"/)
    const stayed = await ask({ path: '/_fairlead/stay?to=/lab', headers: { ...PAGE, cookie } })
    equal(`${stayed.status} ${stayed.headers.location}`, '303 /lab')
    const page = await ask({ path: '/lab', headers: { ...PAGE, cookie: cookieOf(stayed) } })
    equal(`${page.status} ${page.headers['x-version']}`, '200 d1')
    const outside = { ...PAGE, cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
    equal((await ask({ path: '/_fairlead/move', headers: outside })).status, 300, 'of another site')
    const moved = await ask({ path: '/_fairlead/move?to=//evil.example', headers: { ...PAGE, cookie } })
    equal(`${moved.status} ${moved.headers.location}`, '303 /')
    equal(await version(cookieOf(moved)), 'd2')

    await switchboard.earlier.mark('churn', 'd1', 'ending')
    equal(await version(cookie), 'd2')

    await routeExpel.run(hands, { visitors: ['ann'] })
    equal((await ask({ path: '/api', headers: { cookie } })).status, 401)
    equal((await ask({ path: '/_fairlead/stay', headers: { cookie: cookieOf(moved) } })).status, 401)
    equal(await version(later), 'd2')
  })
})

/** An app behind the gate that says what it was asked, and what the proxy let through to it. */
async function startGuarded(world: AsyncDisposableStack, prefix?: string) {
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
  const seen: IncomingMessage[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    seen.push(request)
    response.setHeader('set-cookie', '_xsrf=1')
    response.setHeader('service-worker-allowed', '/')
    response.end(`${request.method} ${request.url} ${await text(request)}`)
  }

  /** Something that answers at one of the addresses of a name. */
  async function serve(ip: string, version: string): Promise<void> {
    const app = createServer((request, response) => {
      response.setHeader('x-version', version)
      void answer(request, response)
    })
    const sockets = new WebSocketServer({ server: app })
    sockets.on('connection', socket => socket.on('message', data => socket.send(`${data} of ${version}`)))
    await once(app.listen(routed.port, ip), 'listening')
    world.defer(() => {
      sockets.close()
      app.close()
      app.closeAllConnections()
    })
  }

  async function lead(name: string, part?: string): Promise<void> {
    const [ip] = await switchboard.slots(name)
    await serve(ip, 'd1')
    await routePoint.run(hands, {
      ...{ name, hosts: [HOST], port: routed.port, ip, deployment: 'd1', guard: { login: LOGIN } },
      ...(part === undefined ? {} : { prefix: part }),
    })
  }

  await lead('churn', prefix)
  seen.length = 0
  const port = routed.proxy.httpPort
  const ask = (asked: Asked = {}) => askHost({ host: HOST, port }, asked)

  /** The cookie of somebody who follows a link. */
  async function admit(visitor: string): Promise<string> {
    const until = systemClock.now() + 60_000
    await routeAdmit.run(hands, { name: 'churn', ticket: sha256(visitor), visitor, until })
    return cookieOf(await ask({ path: `/_fairlead/open?s=${visitor}` }))
  }

  /** Another version serves, and what served until then is kept. */
  async function replace(): Promise<void> {
    const [, ip] = await switchboard.slots('churn')
    await serve(ip, 'd2')
    await switchboard.point('churn', { ip, deployment: 'd2' }, true)
    await switchboard.earlier.mark('churn', 'd1', 'kept')
    // For 50 ms the proxy goes by what it was told before (caddy-route.ts).
    await systemClock.sleep(200)
  }

  return { hands, lead, port, seen, ask, admit, replace, switchboard }
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
