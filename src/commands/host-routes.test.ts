import { deepEqual, equal, notEqual } from 'node:assert/strict'
import { test } from 'node:test'
import type { CaddyConfig } from '#programs/caddy.ts'
import { caddyRoute, type WantedRoute } from '#programs/caddy-route.ts'
import { routesIn } from './host-routes.ts'

function wanted(name: string, prefix?: string): WantedRoute {
  return {
    ...{ name, prefix, hosts: ['nb.example.org'], port: 8888, slots: ['10.1.0.16', '10.1.0.17'] },
    ...{ resolver: '127.0.0.1:5353', token: 't0k' },
  }
}

function seen(...routes: readonly WantedRoute[]) {
  const config: CaddyConfig = {
    apps: { http: { servers: { fairlead: { routes: routes.map(each => caddyRoute(each, 'http')) } } } },
  }
  return routesIn(config)
}

test('what shares a host is seen with its part of it, and a neighbour that comes or goes changes nothing of it', () => {
  const churn = wanted('churn', '/nb/churn/')
  const alone = seen(churn)
  deepEqual(alone.churn?.hosts, ['nb.example.org/nb/churn/'])
  const both = seen(wanted('sales', '/nb/sales/'), churn)
  equal(both.churn?.hash, alone.churn?.hash)
  deepEqual(both.sales?.hosts, ['nb.example.org/nb/sales/'])
})

test('a part that somebody made another one by hand is no longer the route that it was', () => {
  const before = seen(wanted('churn', '/nb/churn/'))
  for (const after of [seen(wanted('churn', '/nb/sales/')), seen(wanted('churn'))]) {
    notEqual(after.churn?.hash, before.churn?.hash)
  }
})
