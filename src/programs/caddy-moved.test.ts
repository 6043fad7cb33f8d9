import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import type { CaddyConfig } from './caddy.ts'
import { takenPlace, withMoved, withRoutes } from './caddy-config.ts'
import { movedRoute } from './caddy-moved.ts'
import { caddyRoute } from './caddy-route.ts'

const PORTS = { httpPort: 8080, httpsPort: 443 }
const TO = { host: 'new.example.org' }

function moved(config: CaddyConfig, name: string, host: string, prefix?: string): CaddyConfig {
  const wanted = { name, from: { hosts: [host], prefix }, to: TO, ports: PORTS }
  const routes = { http: movedRoute(wanted, 'http'), https: movedRoute(wanted, 'https') }
  return withMoved(config, { name, routes, ports: PORTS })
}

function routed(config: CaddyConfig, name: string, host: string): CaddyConfig {
  const wanted = {
    ...({ name, hosts: [host], port: 8888, slots: ['172.30.0.16', '172.30.0.17'], token: 't' } as const),
    resolver: '127.0.0.1:5353',
  }
  const routes = { http: caddyRoute(wanted, 'http'), https: caddyRoute(wanted, 'https') }
  return withRoutes(config, { name, routes, ports: PORTS })
}

function idsOf(config: CaddyConfig): (string | undefined)[] {
  return (config.apps?.http?.servers?.fairlead_tls?.routes ?? []).map(route => route['@id'])
}

test('who reads at an old address is led to the same page at the new one, and no browser keeps that in mind', () => {
  const wanted = { name: 'old', from: { hosts: ['old.example.org'] }, to: TO, ports: PORTS }
  const { match, handle } = movedRoute(wanted, 'http')
  deepEqual(match, [{ host: ['old.example.org'], method: ['GET', 'HEAD'] }])
  deepEqual(handle, [
    {
      ...{ handler: 'static_response', status_code: 308 },
      headers: {
        Location: ['http://new.example.org:8080{http.request.uri}'],
        'Cache-Control': ['no-store'],
      },
    },
  ])
})

test('a part of a host leads to another part, or to a host of its own, without the old prefix', () => {
  const from = { hosts: ['nb.example.org'], prefix: '/nb/old/' }
  const to = { host: 'nb.example.org', prefix: '/nb/new/' }
  const { match, handle } = movedRoute({ name: 'old', from, to, ports: PORTS }, 'https')
  deepEqual(match?.[0]?.path, ['/nb/old', '/nb/old/*'])
  deepEqual(handle?.[0], { handler: 'rewrite', strip_path_prefix: '/nb/old' })
  const location = 'https://nb.example.org/nb/new{http.request.uri}'
  deepEqual(handle?.[1]?.headers, { Location: [location], 'Cache-Control': ['no-store'] })
})

test("an old address is nobody's: whoever wants it has it, and from then on nobody is led away from it", () => {
  const config = moved(moved({}, 'old', 'old.localhost'), 'part', 'nb.localhost', '/nb/part/')
  deepEqual(idsOf(config), ['moved-tls:old', 'moved-tls:part', 'not-found'])
  equal(takenPlace(config, { name: 'fresh', hosts: ['old.localhost'] }), undefined)
  deepEqual(idsOf(routed(config, 'fresh', 'old.localhost')), [
    'moved-tls:part',
    'route-tls:fresh',
    'not-found',
  ])
  deepEqual(idsOf(routed(config, 'whole', 'nb.localhost')), ['moved-tls:old', 'route-tls:whole', 'not-found'])
  deepEqual(idsOf(routed(config, 'other', 'other.localhost')).length, 4)
  const none = { http: undefined, https: undefined }
  deepEqual(idsOf(withMoved(config, { name: 'old', routes: none, ports: PORTS })), [
    'moved-tls:part',
    'not-found',
  ])
})

test('an internal host keeps its certificate while it leads away', () => {
  const { policies = [] } = moved({}, 'old', 'old.localhost').apps?.tls?.automation ?? {}
  deepEqual(
    policies.map(({ subjects }) => subjects),
    [['old.localhost']],
  )
})
