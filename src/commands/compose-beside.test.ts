import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { reasonsToBeAlone } from './compose-beside.ts'

const DATA = { type: 'volume', source: 'data', target: '/data' }

describe('a new container may run beside the old one', () => {
  for (const [what, service] of [
    ['of a plain service', {}],
    ['with a port that is not published', { ports: [{ target: 80 }], expose: ['80'] }],
    ['with a volume that it only reads', { volumes: [{ ...DATA, read_only: true }] }],
    [
      'with files of the repository',
      { volumes: [{ type: 'bind', source: '/w/x', target: '/x', read_only: true }] },
    ],
    ['with a file system in memory', { volumes: [{ type: 'tmpfs', target: '/tmp' }] }],
    ['with a network of its own', { networks: { front: { aliases: ['shop'] } } }],
  ] as const) {
    test(what, () => assert.deepEqual(alone(service), []))
  }

  test('with a volume that is said to be shared, by its name or by the path', () => {
    assert.deepEqual(reasonsToBeAlone({ services: { web: { volumes: [DATA] } } }, 'web', ['data']), [])
    assert.deepEqual(reasonsToBeAlone({ services: { web: { volumes: [DATA] } } }, 'web', ['/data']), [])
    assert.deepEqual(reasonsToBeAlone({ services: { web: { volumes: [DATA] } } }, 'web', ['other']).length, 1)
  })

  test('although others depend on it and reach it by its name', () => {
    assert.deepEqual(alone({}, { depends_on: { web: { condition: 'service_healthy' } } }), [])
  })
})

describe('a new container takes the place of the old one', () => {
  for (const [service, said] of [
    [{ volumes: [DATA] }, 'it has the volume "data"'],
    [{ volumes: [{ type: 'volume', target: '/cache' }] }, 'it writes to /cache'],
    [{ volumes: [{ type: 'bind', source: '/srv', target: '/srv' }] }, 'it writes to /srv'],
    [{ ports: [{ target: 80, published: '20080' }] }, 'it publishes host port 20080'],
    [{ container_name: 'shop' }, 'it has a "container_name"'],
    [{ network_mode: 'host' }, 'its "network_mode" is "host"'],
    [{ networks: { front: { ipv4_address: '10.0.0.2' } } }, 'it has a fixed address'],
    [{ mac_address: '02:00:00:00:00:01' }, 'it has a fixed MAC address'],
    [{ devices: [{ source: '/dev/ttyUSB0', target: '/dev/ttyUSB0' }] }, 'it uses devices of the host'],
    [{ ipc: 'shareable' }, 'it shares memory ("ipc")'],
    [{ post_start: [{ command: ['x'] }] }, 'Compose itself has to run its hooks'],
  ] as const) {
    test(`when ${said}`, () => assert.deepEqual(alone(service), [said]))
  }

  for (const [other, said] of [
    [{ network_mode: 'service:web' }, '"other" is tied to its container'],
    [{ volumes_from: ['web:ro'] }, '"other" is tied to its container'],
    [{ links: ['web:shop'] }, '"other" is tied to its container'],
    [{ depends_on: { web: { restart: true } } }, '"other" wants to be restarted with it'],
  ] as const) {
    test(`when ${said}: ${JSON.stringify(other)}`, () => assert.deepEqual(alone({}, other), [said]))
  }
})

function alone(web: object, other: object = {}): readonly string[] {
  return reasonsToBeAlone({ services: { web, other } }, 'web')
}
