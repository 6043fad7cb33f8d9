import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Call, EngineAnswer, EngineRequest } from '#exec/call.ts'
import { problemsOf } from '#lib/check.ts'
import { systemClock } from '#lib/clock.ts'
import { caddyRoute } from '#programs/caddy-route.ts'
import type { Hands, HostFacts, Switchboard } from './command.ts'
import { routeObserve, routePoint, routeRemove, routeVerify } from './route.ts'
import {
  NO_PROXY,
  PROXY_REFUSED,
  PROXY_UNREACHABLE,
  ROUTE_NOT_ANSWERING,
  ROUTE_REFUSED,
} from './route-errors.ts'
import { PointData } from './route-point.ts'

const DATA = { name: 'shop', hosts: ['shop.localhost'], port: 8080, deployment: 'd2', ip: '172.30.0.17' }
const UPSTREAM = '172.30.0.17:8080'
const OLD = { ip: '172.30.0.16', deployment: 'd1' }

type Reply = Partial<EngineAnswer> | Error

describe('route.point', () => {
  test('reads two routes and writes nothing when they are as wanted', async () => {
    const world = createWorld(request => routesThere(request) ?? answeredBy(UPSTREAM))
    deepEqual(await routePoint.run(world.hands, DATA), {
      switched: true,
      previous: 'd1',
      answers: [
        { host: 'shop.localhost', scheme: 'http', status: 200, ms: 0 },
        { host: 'shop.localhost', scheme: 'https', status: 200, ms: 0 },
      ],
      tls: [{ host: 'shop.localhost', issuer: 'internal', ready: true }],
    })
    deepEqual(
      world.asked.filter(line => !line.includes('172.30') && !line.endsWith(' /')),
      ['GET 2019 /id/route%3Ashop', 'GET 2019 /id/route-tls%3Ashop', 'GET 2019 /pki/ca/local'],
    )
    deepEqual(world.board, ['point 172.30.0.17 d2'])
  })

  test('needs two answers in a row from the new container, over HTTP and HTTPS', async () => {
    const seen = { http: 0, https: 0 }
    const world = createWorld(request => {
      const scheme = schemeOf(request)
      if (!scheme) {
        return routesThere(request) ?? {}
      }
      seen[scheme] += 1
      return answeredBy(seen[scheme] === 2 || seen[scheme] === 4 ? '172.30.0.16:8080' : UPSTREAM)
    })
    await routePoint.run(world.hands, DATA)
    deepEqual(seen, { http: 6, https: 6 })
  })

  for (const [what, reply] of [
    ['the old container answers', answeredBy('172.30.0.16:8080')],
    ['the proxy answers for nobody', { status: 502, text: '' }],
    ['the app fails', answeredBy(UPSTREAM, 500)],
    ['the connection is refused', new Error('connect ECONNREFUSED')],
  ] as const) {
    test(`points back when ${what}`, async () => {
      const world = createWorld(request => routesThere(request) ?? reply)
      await rejects(routePoint.run(world.hands, DATA), ROUTE_NOT_ANSWERING.matches)
      deepEqual(world.board, ['point 172.30.0.17 d2', 'point 172.30.0.16 d1'])
      ok(!world.asked.some(line => line.startsWith('POST')))
    })
  }

  test('says the status and the last line of what it saw', async () => {
    const world = createWorld(
      request => routesThere(request) ?? answeredBy(UPSTREAM, 503, 'Sorry.\n  no database \n\n'),
    )
    await rejects(routePoint.run(world.hands, DATA), error => {
      ok(ROUTE_NOT_ANSWERING.matches(error))
      equal(
        error.message,
        'http://shop.localhost/ does not answer as it should: status 503 is not the expected one; it says: no database',
      )
      deepEqual(error.facts, {
        host: 'shop.localhost',
        scheme: 'http',
        status: 503,
        lastLine: 'no database',
        upstream: UPSTREAM,
      })
      return true
    })
  })

  for (const [expect, status, good] of [
    [undefined, 404, true],
    [undefined, 500, false],
    [[200, 204], 204, true],
    [[200, 204], 301, false],
    [{ from: 200, to: 299 }, 206, true],
    [{ from: 200, to: 299 }, 404, false],
  ] as const) {
    test(`takes status ${status} for ${good ? 'good' : 'bad'} when ${JSON.stringify(expect) ?? 'nothing'} is expected`, async () => {
      const world = createWorld(request => routesThere(request) ?? answeredBy(UPSTREAM, status))
      const probe = {
        path: '/healthz',
        withinMs: 200,
        ...(expect ? { expect: structuredClone(expect) } : {}),
      }
      const result = routePoint.run(world.hands, { ...DATA, probe: probe as never })
      await (good ? result : rejects(result, ROUTE_NOT_ANSWERING.matches))
      ok(world.asked.includes('GET 80 /healthz'))
    })
  }

  test('does not wait for ever for a public certificate, and says that it is missing', async () => {
    const world = createWorld(request => {
      if (schemeOf(request) === 'https') {
        return new Error('unable to verify the first certificate')
      }
      return routesThere(request, 'shop.example.org') ?? answeredBy(UPSTREAM)
    })
    const result = await routePoint.run(world.hands, { ...DATA, hosts: ['shop.example.org'] })
    const [{ problem, ...certificate } = {}] = result.tls
    deepEqual(certificate, { host: 'shop.example.org', issuer: 'public', ready: false })
    match(problem ?? '', /^https:.*unable to verify the first certificate$/)
    equal(result.answers.length, 1)
    deepEqual(world.said, [
      'The certificate of shop.example.org is not there yet; the proxy goes on asking for it.',
      'hint: Visitors of https://shop.example.org meet a warning until then. Its issuer must reach this host: let the name lead here and ports 80 and 443 through.',
    ])
  })

  test('does not take a bad answer over HTTPS for a certificate that is late', async () => {
    const world = createWorld(
      request =>
        routesThere(request, 'shop.example.org') ??
        answeredBy(UPSTREAM, schemeOf(request) === 'https' ? 500 : 200),
    )
    await rejects(
      routePoint.run(world.hands, { ...DATA, hosts: ['shop.example.org'] }),
      ROUTE_NOT_ANSWERING.matches,
    )
  })

  test('writes again when another program was faster, and after a connection that was cut', async () => {
    const writes: (Reply | undefined)[] = [{ status: 412 }, new Error('ECONNRESET'), { status: 412 }]
    const world = createWorld(request => {
      if (request.method === 'POST') {
        return writes.shift() ?? { status: 200 }
      }
      return schemeOf(request) ? answeredBy(UPSTREAM) : noConfig(request)
    })
    await routePoint.run(world.hands, DATA)
    const writing = world.asked.filter(line => line.includes('/config/'))
    deepEqual(writing, [
      'GET 2019 /config/',
      'POST 2019 /config/ if "e1"',
      'GET 2019 /config/',
      'POST 2019 /config/ if "e1"',
      'POST 2019 /config/ if "e1"',
      'GET 2019 /config/',
      'POST 2019 /config/ if "e1"',
    ])
  })

  test('hands on why the proxy refuses, and leaves the switch as it was', async () => {
    const world = createWorld(request =>
      request.method === 'POST' ? { status: 500, json: { error: 'unknown module: x' } } : noConfig(request),
    )
    await rejects(routePoint.run(world.hands, DATA), error => {
      ok(PROXY_REFUSED.matches(error))
      ok(error.message.endsWith('unknown module: x'))
      return true
    })
    deepEqual(world.board, ['point 172.30.0.16 d1'])
  })

  test('gives up on a proxy that does not answer', async () => {
    const world = createWorld(() => new Error('connect ECONNREFUSED'))
    await rejects(routePoint.run(world.hands, DATA), PROXY_UNREACHABLE.matches)
    await rejects(routeRemove.run(world.hands, { name: 'shop' }), PROXY_UNREACHABLE.matches)
    deepEqual(world.board, [])
  })

  test('points back when it is cancelled, and does not call that a failure of the app', async () => {
    const cancel = new AbortController()
    const world = createWorld(request => {
      if (schemeOf(request)) {
        cancel.abort(new Error('cancelled by ada'))
        return answeredBy('172.30.0.16:8080')
      }
      return routesThere(request) ?? {}
    })
    const hands = { ...world.hands, signal: cancel.signal }
    await rejects(routePoint.run(hands, DATA), /cancelled by ada/)
    deepEqual(world.board, ['point 172.30.0.17 d2', 'point 172.30.0.16 d1'])
  })

  for (const ip of [
    '127.0.0.1',
    '172.30.0.1',
    '172.30.0.0',
    '172.30.255.255',
    '172.31.0.9',
    '169.254.169.254',
  ]) {
    test(`X01 does not lead visitors to ${ip}, whatever the manager says`, async () => {
      const world = createWorld(() => ({}))
      await rejects(routePoint.run(world.hands, { ...DATA, ip }), ROUTE_REFUSED.matches)
      deepEqual(world.asked, [])
    })
  }

  test('says that a host has no proxy', async () => {
    const { hands } = createWorld(() => ({}))
    const without = { ...hands, host: { ...hands.host, proxy: undefined } }
    await rejects(routePoint.run(without, DATA), NO_PROXY.matches)
    await rejects(routeObserve.run(without, { names: ['shop'] }), NO_PROXY.matches)
  })

  for (const change of [
    { name: 'a/../config' },
    { name: 'Shop' },
    { name: '' },
    { name: 'a.' },
    { name: '__proto__' },
    { hosts: [] },
    { hosts: ['*.example.org'] },
    { hosts: ['{env.SECRET}'] },
    { hosts: ['a b'] },
    { hosts: ['-a.org'] },
    { hosts: [`${'a'.repeat(64)}.org`] },
    { port: 0 },
    { port: 65_536 },
    { ip: '1.2.3.4.5' },
    { ip: '256.1.1.1' },
    { ip: '010.0.0.1' },
    { probe: { path: 'http://evil/' } },
    { probe: { path: '/a b' } },
    { probe: { path: '/\r\nX: y' } },
    { more: 1 },
  ]) {
    test(`X01 does not take ${JSON.stringify(change).slice(0, 60)}`, () => {
      ok(problemsOf(PointData, { ...DATA, ...change }).length > 0)
    })
  }

  for (const name of ['shop', 'web.shop', 'web_1.my-shop', 'a', '0']) {
    test(`takes the name ${name}`, () => deepEqual(problemsOf(PointData, { ...DATA, name }), []))
  }
})

describe('route.verify', () => {
  const ASKED = { name: 'shop', hosts: ['shop.localhost'], port: 8080, ip: '172.30.0.17' }

  test('tells what visitors get, with one answer per host and scheme, and switches nothing', async () => {
    const world = createWorld(request => routesThere(request) ?? answeredBy(UPSTREAM))
    const { routes } = await routeVerify.run(world.hands, { routes: [ASKED] })
    deepEqual(routes.shop, {
      fault: null,
      answers: [
        { host: 'shop.localhost', scheme: 'http', status: 200, ms: 0 },
        { host: 'shop.localhost', scheme: 'https', status: 200, ms: 0 },
      ],
      tls: [{ host: 'shop.localhost', issuer: 'internal', ready: true }],
    })
    deepEqual(world.board, [])
    equal(world.asked.filter(line => line.endsWith(' /')).length, 2)
  })

  for (const [what, reply, fault] of [
    ['another container answers', answeredBy('172.30.0.16:8080'), /172\.30\.0\.16:8080 answered/],
    ['the proxy answers for nobody', { status: 502, text: '' }, /got no answer from 172\.30\.0\.17/],
    ['the app fails', answeredBy(UPSTREAM, 500, 'no database'), /status 500 .*: no database/],
  ] as const) {
    test(`tells the fault when ${what}`, async () => {
      const world = createWorld(request => routesThere(request) ?? reply)
      const { routes } = await routeVerify.run(world.hands, { routes: [ASKED] })
      match(routes.shop?.fault ?? '', fault)
      deepEqual([routes.shop?.answers, world.board], [[], []])
    })
  }

  test('tells that the proxy knows no such name', async () => {
    const world = createWorld(noConfig)
    const { routes } = await routeVerify.run(world.hands, { routes: [ASKED] })
    equal(routes.shop?.fault, 'the proxy has no route for "shop"')
  })
})

interface World {
  readonly hands: Hands
  /** `METHOD port path`, in order. */
  readonly asked: string[]
  /** What happened to the switchboard. */
  readonly board: string[]
  readonly said: string[]
}

/** Records what the command asks for and answers it; time passes only while it sleeps. */
function createWorld(reply: (request: EngineRequest<unknown>) => Reply): World {
  const asked: string[] = []
  const board: string[] = []
  const said: string[] = []
  let now = 0
  let current: { ip: string; deployment: string } | undefined = OLD
  const switchboard: Switchboard = {
    slots: async () => ['172.30.0.16', '172.30.0.17'],
    ports: async () => [20_000, 20_001],
    async point(_name, target) {
      board.push(`point ${target.ip} ${target.deployment}`)
      current = { ...target }
    },
    async forget(name) {
      board.push(`forget ${name}`)
    },
    current: () => current,
    earlier: { of: () => [], all: () => [], mark: async () => {} },
  }
  async function perform<T>(call: Call<T>): Promise<T> {
    if (call.kind !== 'request' || call.engine.kind !== 'http') {
      throw new Error('only requests over HTTP are expected')
    }
    const port = new URL(call.engine.origin).port || (call.engine.origin.startsWith('https') ? '443' : '80')
    const condition = call.headers?.['If-Match']
    asked.push(`${call.method} ${port} ${call.path}${condition ? ` if ${condition}` : ''}`)
    const answer = reply(call)
    if (answer instanceof Error) {
      throw answer
    }
    return call.read({ status: 200, headers: {}, trailers: {}, text: '', json: undefined, ...answer })
  }
  const hands: Hands = {
    id: 'test',
    perform,
    say: text => said.push(text),
    signal: new AbortController().signal,
    clock: {
      ...systemClock,
      monotonic: () => now,
      async sleep(ms, signal) {
        signal?.throwIfAborted()
        now += ms
      },
    },
    host: {
      name: 'box',
      network: { name: 'fairlead', subnet: '172.30.0.0/16' },
      proxy: {
        adminOrigin: 'http://127.0.0.1:2019',
        httpPort: 80,
        httpsPort: 443,
        resolver: '127.0.0.1:5353',
      },
      switchboard,
    } as HostFacts,
  }
  return { hands, asked, board, said }
}

function schemeOf({ engine, path }: EngineRequest<unknown>): 'http' | 'https' | undefined {
  if (engine.kind !== 'http' || engine.origin.endsWith(':2019') || path.startsWith('/id/')) {
    return undefined
  }
  return engine.origin.startsWith('https') ? 'https' : 'http'
}

/** A proxy that has the wanted routes already; undefined for a probe. */
function routesThere(request: EngineRequest<unknown>, host = 'shop.localhost'): Reply | undefined {
  if (schemeOf(request)) {
    return undefined
  }
  const wanted = {
    name: 'shop',
    hosts: [host],
    port: 8080,
    slots: ['172.30.0.16', '172.30.0.17'],
    resolver: '127.0.0.1:5353',
    token: 'known',
  } as const
  const scheme = request.path.includes('route-tls') ? 'https' : 'http'
  return request.path.startsWith('/id/')
    ? { json: caddyRoute(wanted, scheme) }
    : { json: { root_certificate: 'PEM' } }
}

/** A proxy without any route. */
function noConfig({ path }: EngineRequest<unknown>): Reply {
  return path === '/config/'
    ? { json: null, trailers: { etag: '"e1"' } }
    : { status: 404, text: 'unknown object ID' }
}

function answeredBy(upstream: string, status = 200, text = 'hello'): Reply {
  return { status, text, headers: { 'x-fairlead-upstream': upstream } }
}
