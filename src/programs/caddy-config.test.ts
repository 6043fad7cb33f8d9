import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isInternalHost } from '#lib/internal-host.ts'
import type { CaddyConfig } from './caddy.ts'
import { routesOf, takenPlace, withRoutes } from './caddy-config.ts'
import { readGuard } from './caddy-gate.ts'
import { caddyRoute, isAsWanted, nameOfRoute, readWanted, tokenOf, type WantedRoute } from './caddy-route.ts'

const PORTS = { httpPort: 80, httpsPort: 443 }

function wantedRoute(name: string, ...hosts: string[]): WantedRoute {
  return {
    name,
    hosts,
    port: 8080,
    slots: ['172.30.0.16', '172.30.0.17'],
    resolver: '127.0.0.1:5353',
    token: 't0k',
  }
}

function withApp(config: CaddyConfig, wanted: WantedRoute): CaddyConfig {
  const routes = { http: caddyRoute(wanted, 'http'), https: caddyRoute(wanted, 'https') }
  return withRoutes(config, { name: wanted.name, routes, ports: PORTS })
}

function withoutApp(config: CaddyConfig, name: string): CaddyConfig {
  return withRoutes(config, { name, routes: { http: undefined, https: undefined }, ports: PORTS })
}

function idsOf(config: CaddyConfig, server: string): (string | undefined)[] {
  return (config.apps?.http?.servers?.[server]?.routes ?? []).map(route => route['@id'])
}

describe('the configuration of the proxy', () => {
  test('gets its servers when it is empty, and a 404 for what is not deployed comes last', () => {
    const config = withApp(
      withApp({}, wantedRoute('shop', 'shop.localhost')),
      wantedRoute('blog', 'blog.localhost'),
    )
    deepEqual(idsOf(config, 'fairlead'), ['route:shop', 'route:blog', 'not-found'])
    deepEqual(idsOf(config, 'fairlead_tls'), ['route-tls:shop', 'route-tls:blog', 'not-found'])
    equal(config.apps?.http?.http_port, 80)
    deepEqual(config.apps?.http?.servers?.fairlead?.listen, [':80'])
    deepEqual(config.apps?.http?.servers?.fairlead?.automatic_https, { disable: true })
    deepEqual(config.apps?.http?.servers?.fairlead_tls?.tls_connection_policies, [{}])
    deepEqual(config.apps?.pki?.certificate_authorities, { local: { install_trust: false } })
  })

  test('keeps everything that is not ours', () => {
    const foreign: CaddyConfig = {
      admin: { listen: 'localhost:2019' },
      logging: { logs: {} },
      apps: {
        http: { servers: { other: { listen: [':9000'] } } },
        tls: {
          automation: { policies: [{ issuers: [{ module: 'internal' }] }] },
          certificates: { automate: ['x'] },
        },
      },
    }
    const before = structuredClone(foreign)
    const config = withApp(foreign, wantedRoute('shop', 'shop.localhost'))
    deepEqual(foreign, before)
    deepEqual(config.admin, before.admin)
    deepEqual(config.apps?.http?.servers?.other, { listen: [':9000'] })
    deepEqual(config.apps?.tls?.certificates, { automate: ['x'] })
    deepEqual(config.apps?.tls?.automation?.policies, [
      { '@id': 'fairlead-internal', subjects: ['shop.localhost'], issuers: [{ module: 'internal' }] },
      { issuers: [{ module: 'internal' }] },
    ])
  })

  test('is the same when the same routes are put again, and a changed route keeps its place', () => {
    const config = withApp(withApp({}, wantedRoute('shop', 'a.test')), wantedRoute('blog', 'b.test'))
    deepEqual(withApp(config, wantedRoute('shop', 'a.test')), config)
    const changed = withApp(config, wantedRoute('shop', 'c.test'))
    deepEqual(idsOf(changed, 'fairlead'), ['route:shop', 'route:blog', 'not-found'])
    deepEqual(changed.apps?.tls?.automation?.policies?.[0]?.subjects, ['b.test', 'c.test'])
  })

  test('has no rule for certificates left when the last internal host goes', () => {
    const config = withApp({}, wantedRoute('shop', 'shop.localhost', 'shop.example.org'))
    deepEqual(config.apps?.tls?.automation?.policies?.[0]?.subjects, ['shop.localhost'])
    const without = withoutApp(config, 'shop')
    deepEqual(without.apps?.tls?.automation?.policies, [])
    deepEqual(idsOf(without, 'fairlead'), ['not-found'])
    deepEqual(withoutApp(without, 'shop'), without)
    deepEqual(withoutApp({}, 'shop'), {})
  })

  test('knows which hosts lead to somebody else', () => {
    const config = withApp({}, wantedRoute('shop', 'a.test', 'b.test'))
    equal(takenPlace(config, { name: 'shop', hosts: ['a.test'] }), undefined)
    equal(takenPlace(config, { name: 'blog', hosts: ['c.test', 'b.test'] }), 'b.test')
    equal(takenPlace({}, { name: 'blog', hosts: ['c.test'] }), undefined)
  })

  test('lets several names share a host, each with a part of its own', () => {
    const churn = { ...wantedRoute('churn', 'nb.test'), prefix: '/nb/churn/' }
    const config = withApp(withApp({}, churn), { ...churn, name: 'sales', prefix: '/nb/sales/' })
    deepEqual(idsOf(config, 'fairlead'), ['route:churn', 'route:sales', 'not-found'])
    deepEqual(config.apps?.tls?.automation?.policies?.[0]?.subjects, ['nb.test'])
    const taken = (prefix?: string) => takenPlace(config, { name: 'blog', hosts: ['nb.test'], prefix })
    equal(taken('/nb/blog/'), undefined)
    equal(taken('/nb/churn-2/'), undefined)
    equal(taken('/nb/churn/'), 'nb.test/nb/churn/')
    equal(taken('/nb/churn/deeper/'), 'nb.test/nb/churn/deeper/')
    equal(taken('/nb/'), 'nb.test/nb/')
    equal(taken(), 'nb.test')
    const whole = withApp({}, wantedRoute('shop', 'nb.test'))
    equal(takenPlace(whole, { ...churn }), 'nb.test/nb/churn/')
  })

  test('names an app tls-shop and an app shop without mixing them up', () => {
    const config = withApp(withApp({}, wantedRoute('tls-shop', 'a.test')), wantedRoute('shop', 'b.test'))
    deepEqual(routesOf(config, 'shop').https?.match, [{ host: ['b.test'] }])
    deepEqual(routesOf(config, 'tls-shop').http?.match, [{ host: ['a.test'] }])
    equal(nameOfRoute({ '@id': 'route-tls:tls-shop' }), 'tls-shop')
    equal(nameOfRoute({ '@id': 'not-found' }), undefined)
  })
})

describe('a route', () => {
  const wanted = wantedRoute('web.shop', 'shop.example.org')
  const route = caddyRoute(wanted, 'http')

  test('asks the switchboard and falls back to both slots', () => {
    const proxy = route.handle?.[1]
    deepEqual(proxy?.dynamic_upstreams, {
      source: 'a',
      name: 'web.shop.fairlead.',
      port: '8080',
      refresh: '50ms',
      resolver: { addresses: ['tcp/127.0.0.1:5353'] },
      dial_timeout: '20ms',
    })
    deepEqual(proxy?.upstreams, [{ dial: '172.30.0.16:8080' }, { dial: '172.30.0.17:8080' }])
  })

  test('tells the upstream only to who knows the token, and keeps the token from the app', () => {
    ok(JSON.stringify(route.handle?.[0]).includes('"X-Fairlead-Probe":["t0k"]'))
    deepEqual(route.handle?.[1]?.headers, {
      request: { delete: ['X-Fairlead-Probe'] },
      response: { delete: ['X-Fairlead-Upstream'] },
    })
  })

  test('is read back as it was wanted', () => {
    deepEqual(readWanted(route), { hosts: ['shop.example.org'], port: 8080 })
    equal(tokenOf(route), 't0k')
    equal(tokenOf(undefined), undefined)
    equal(tokenOf({ handle: [{ handler: 'subroute', routes: [] }] }), undefined)
    deepEqual(readWanted({}), { hosts: [], port: 0 })
  })

  test('is as wanted only when both servers have it, whatever the order of its hosts', () => {
    const both = { http: route, https: caddyRoute(wanted, 'https') }
    ok(isAsWanted(both, wanted))
    ok(!isAsWanted({ ...both, https: undefined }, wanted))
    ok(!isAsWanted(both, { ...wanted, port: 9090 }))
    ok(!isAsWanted(both, { ...wanted, resolver: '127.0.0.1:5354' }))
    const two = wantedRoute('shop', 'b.test', 'a.test')
    ok(
      isAsWanted(
        { http: caddyRoute(two, 'http'), https: caddyRoute(two, 'https') },
        wantedRoute('shop', 'a.test', 'b.test'),
      ),
    )
  })
})

describe('a route to a part of a host', () => {
  const wanted: WantedRoute = {
    ...wantedRoute('churn', 'nb.example.org'),
    prefix: '/nb/churn/',
    guard: { address: '127.0.0.1:7', login: 'https://fairlead.example.org/open/churn' },
  }
  const route = caddyRoute(wanted, 'http')
  const written = JSON.stringify(route)

  test('takes what is below, adds the slash that somebody forgot, and takes nothing off', () => {
    deepEqual(route.match, [{ host: ['nb.example.org'], path: ['/nb/churn', '/nb/churn/*'] }])
    ok(written.includes('"Location":["/nb/churn/"]'))
    ok(!written.includes('strip_path_prefix'))
  })

  test('is read back as it was wanted, with its guard and its token', () => {
    deepEqual(readWanted(route), { hosts: ['nb.example.org'], prefix: '/nb/churn/', port: 8080 })
    deepEqual(readGuard(route), wanted.guard)
    equal(tokenOf(route), 't0k')
    const both = { http: route, https: caddyRoute(wanted, 'https') }
    ok(isAsWanted(both, wanted))
    ok(!isAsWanted(both, { ...wanted, prefix: '/nb/other/' }))
    ok(!isAsWanted(both, { ...wanted, prefix: undefined }))
  })

  test('tells the gate its part where no visitor can', () => {
    ok(written.includes('"uri":"/churn/nb/churn/?"'))
    ok(JSON.stringify(caddyRoute({ ...wanted, prefix: undefined }, 'http')).includes('"uri":"/churn?"'))
  })

  test('says nothing for all of the host', () => {
    const deleted = (of: WantedRoute) => JSON.stringify(caddyRoute(of, 'http').handle?.at(-1)?.headers)
    ok(deleted(wanted).includes('"Set-Cookie","Service-Worker-Allowed","Clear-Site-Data"'))
    ok(!deleted({ ...wanted, prefix: undefined }).includes('Service-Worker-Allowed'))
  })
})

describe('the certificate of a host', () => {
  for (const host of [
    'box',
    'localhost',
    'shop.localhost',
    'nas.local',
    'git.corp.internal',
    'a.test',
    '10.0.0.7',
  ]) {
    test(`${host} comes from the proxy's own authority`, () => ok(isInternalHost(host)))
  }
  for (const host of ['example.org', 'shop.example.org', 'test.example.org', 'notlocal.dev', 'local.net']) {
    test(`${host} comes from a public authority`, () => ok(!isInternalHost(host)))
  }
})
