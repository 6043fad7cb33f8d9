import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refuseUnpublished } from './compose-openings.ts'
import { plan } from './test-compose.ts'

const SERVICES = {
  web: {
    replicas: 1,
    ports: [
      { published: '9001', target: 80, protocol: 'tcp' },
      { published: '9002', target: 53, protocol: 'udp' },
      { published: '9003', target: 81, protocol: 'tcp', address: '127.0.0.1' },
      { published: '9004', target: 82, protocol: 'tcp', address: '::1' },
      { published: '9005', target: 83 },
    ],
  },
  none: { replicas: 0, ports: [{ published: '9006', target: 84, protocol: 'tcp' }] },
}

test('R69 a port that the files publish to the outside may be opened', () => {
  refuseUnpublished({ ports: [{ port: 9001 }, { port: 9002, protocol: 'udp' }, { port: 9005 }] }, SERVICES)
  refuseUnpublished({}, SERVICES)
})

for (const [what, port] of [
  ['of the host or of another app', { port: 5432 }],
  ['of another protocol', { port: 9002 }],
  ['that is published on loopback only', { port: 9003 }],
  ['that is published on loopback only, over IPv6', { port: 9004 }],
  ['of a service that does not run', { port: 9006 }],
] as const) {
  test(`R69 X01 a port ${what} is not opened for files that do not publish it`, () => {
    assert.throws(() => refuseUnpublished({ ports: [port] }, SERVICES), { code: 'APP_SETTING_WRONG' })
  })
}

test('R69 the plan of a Compose app refuses it before anything is opened', () => {
  const routes = [{ service: 'web', port: 80 }]
  const settings = (port: number) => ({ settings: { routes, ports: [{ port }] } })
  assert.throws(() => plan(settings(5432)), { code: 'APP_SETTING_WRONG' })
  assert.ok(plan(settings(20_080)))
})
