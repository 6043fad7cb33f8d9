import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostObserved } from '#commands/host-observe.ts'
import { completeBaseline, knownOf, partOf, takeBaseline } from './baseline.ts'
import { driftOf, FINDING_KINDS, type Finding } from './drift.ts'
import { aHost, type Change } from './test-seen.ts'

const BASELINE = takeBaseline(partOf(aHost(), 'shop'), 'd1')

function reasons(host: HostObserved, before: readonly Finding[] = []): string[] {
  return found(host, before).map(({ kind, reason }) => `${kind}: ${reason}`)
}

function found(host: HostObserved, before: readonly Finding[] = []): readonly Finding[] {
  return driftOf(BASELINE, partOf(host, 'shop'), { containers: aHost().containers, findings: before })
}

function without(name: string): HostObserved {
  const host = aHost()
  return { ...host, containers: host.containers.filter(each => each.service !== name) }
}

const EXTRA = { ...aHost().containers[0], id: 'x', name: 'shop-spy-1', service: 'spy' } as never

const CASES: readonly (readonly [string, HostObserved | Change, string])[] = [
  ['stopped', { facts: { state: 'exited', exitCode: 0 } }, 'stopped: shop-web-1 is exited (exit code 0)'],
  ['killed', { facts: { state: 'exited', exitCode: 137 } }, 'stopped: shop-web-1 is exited (exit code 137)'],
  ['removed', without('web'), 'missing: shop-web-1 is gone'],
  ['paused', { facts: { state: 'paused' } }, 'paused: shop-web-1 is paused'],
  [
    'restarting in a loop',
    { facts: { state: 'restarting', restarts: 7, exitCode: 1 } },
    'restarting: shop-web-1 ends again and again (exit code 1)',
  ],
  ['unhealthy', { facts: { health: 'unhealthy' } }, 'unhealthy: shop-web-1 is unhealthy'],
  [
    'renamed',
    { facts: { name: 'w' }, parts: { name: 'w' } },
    'renamed: w is the container that was called shop-web-1',
  ],
  [
    'made anew from another image',
    { facts: { id: 'new' }, parts: { image: 'sha256:bbbb' } },
    'image: shop-web-1 runs the image bbbb and not aaaa',
  ],
  [
    'made anew with another label',
    { facts: { id: 'new' }, parts: { 'label:io.fairlead.config': '~l2' } },
    'label: shop-web-1 has another value for the label "io.fairlead.config"',
  ],
  [
    'given a label',
    { parts: { 'label:note': '~n' } },
    'label: shop-web-1 has the label "note", which the release has not',
  ],
  [
    'made anew with another environment',
    { parts: { 'environment:COLOUR': '~e2' } },
    'environment: shop-web-1 has another value for the environment variable COLOUR',
  ],
  [
    'given more memory',
    { parts: { memory: '134217728' } },
    'settings: shop-web-1 has 134217728 for "memory" and not 67108864',
  ],
  [
    'given another restart policy',
    { parts: { restart: 'always' } },
    'settings: shop-web-1 has always for "restart" and not no',
  ],
  [
    'published elsewhere',
    { parts: { 'port:80/tcp': ':20081' } },
    'port: shop-web-1 has :20081 for the published port 80/tcp and not :20080',
  ],
  [
    'without its volume',
    { parts: { 'mount:/data': undefined } },
    'mount: shop-web-1 has lost the mount at /data',
  ],
  [
    'disconnected',
    { parts: { 'network:shop_default': undefined } },
    'network: shop-web-1 left the network shop_default',
  ],
  ['connected elsewhere', { parts: { 'network:other': '' } }, 'network: shop-web-1 joined the network other'],
  [
    'known by another name in its network',
    { parts: { 'network:shop_default': 'shop-web-1' } },
    'network: shop-web-1 is known in the network shop_default as shop-web-1 and not as shop-web-1 web',
  ],
  [
    'mounting an edited file',
    { parts: { 'file:value-1:/etc/web.conf': '~f2' } },
    'file: shop-web-1 mounts a file at /etc/web.conf that was edited on the host',
  ],
  [
    'scaled',
    aHost({ more: { facts: { service: 'web' } } }),
    'extra: shop-more-1 is no part of the release: no deployment left a container of the service web here',
  ],
  [
    'joined by a foreign container',
    aHost({}, { foreign: [EXTRA] }),
    'extra: shop-spy-1 is no part of the release: no deployment left a container of the service spy here',
  ],
  [
    'without its route',
    aHost({}, { routes: {} }),
    'route: the proxy has no route for shop.example.org any more',
  ],
  [
    'routed elsewhere',
    aHost({}, { routes: { 'web.shop': { hosts: ['shop.example.org'], hash: 'r2' } } }),
    'route: the route of shop.example.org was changed in the proxy',
  ],
]

for (const [what, change, expected] of CASES) {
  test(`an app ${what} has drifted, and the reason names what`, () => {
    assert.deepEqual(reasons('containers' in change ? change : aHost({ web: change })), [expected])
  })
}

test('every kind of drift there is has a case', () => {
  const shown = new Set(CASES.map(([, , expected]) => expected.split(':', 1)[0]))
  assert.deepEqual(
    FINDING_KINDS.filter(kind => !shown.has(kind)),
    [],
  )
})

for (const [what, host] of [
  ['is the same', aHost()],
  ['was started again', aHost({ web: { facts: { startedAt: 'later', restarts: 1 } } })],
  ['is just being started again', aHost({ web: { facts: { state: 'restarting', restarts: 1 } } })],
  ['is not known to be healthy yet', aHost({ web: { facts: { health: 'starting' } } })],
  ['has a job that ran once more', aHost({ job: { facts: { startedAt: 'later' } } })],
  ['was made anew from the same', aHost({ web: { facts: { id: 'new' } } })],
  ['has a proxy that does not answer', aHost({}, { routes: null })],
  ['is told of in another order', { ...aHost(), containers: aHost().containers.toReversed() }],
] as const) {
  test(`an app that ${what} has not drifted`, () => assert.deepEqual(reasons(host), []))
}

test('a service with a published port and nothing else must run: that it ended with 0 is drift', () => {
  const served = aHost({ db: {} })
  const baseline = takeBaseline(partOf(served, 'shop'), 'd1')
  const ended = partOf(aHost({ db: { facts: { state: 'exited' } } }), 'shop')
  assert.deepEqual(
    driftOf(baseline, ended, { containers: [], findings: [] }).map(({ reason }) => reason),
    ['shop-db-1 is exited (exit code 0)'],
  )
})

test('a service that may end with 0 has not drifted when it does, even if it ran when its deployment ended', () => {
  const parts = { 'port:80/tcp': undefined }
  const working = partOf(aHost({ work: { parts } }), 'shop')
  const ended = partOf(aHost({ work: { parts, facts: { state: 'exited' } } }), 'shop')
  const look = { containers: [], findings: [] }
  assert.deepEqual(driftOf(takeBaseline(working, 'd1'), ended, look), [])
})

test('a loop is found until the container has run from one look to the next', () => {
  const looping = aHost({ web: { facts: { state: 'restarting', restarts: 4 } } })
  const findings = found(looping)
  const between = aHost({ web: { facts: { restarts: 5, startedAt: 'later' } } })
  assert.equal(found(between, findings)[0]?.kind, 'restarting')
  const steady = partOf(between, 'shop')
  assert.deepEqual(driftOf(BASELINE, steady, { containers: steady.containers, findings }), [])
})

test('values that were hashed with another key are not compared', () => {
  const host = aHost({ web: { parts: { 'environment:COLOUR': '~other', memory: '1' } } }, { key: 'k2' })
  assert.deepEqual(
    found(host).map(({ part }) => part),
    ['memory'],
  )
})

test('a deployment of something else does not make a change by hand the rule', () => {
  const changed = aHost({ web: { parts: { memory: '1' } }, more: { facts: { service: 'web' } } })
  const findings = found(changed)
  const next = takeBaseline(partOf(changed, 'shop'), 'd2', { baseline: BASELINE, findings })
  const again = driftOf(next, partOf(changed, 'shop'), { containers: [], findings })
  assert.deepEqual(again.map(({ kind }) => kind).sort(), ['extra', 'settings'])
  const remade = aHost({ web: { facts: { id: 'new' }, parts: { memory: '1' } } })
  const after = takeBaseline(partOf(remade, 'shop'), 'd3', { baseline: next, findings })
  assert.deepEqual(driftOf(after, partOf(remade, 'shop'), { containers: [], findings: [] }), [])
})

test('a place in the network of the proxy that a deployment gave is no drift', () => {
  const moved = partOf(aHost({ web: { parts: { 'network:fairlead': '10.1.0.33' } } }), 'shop')
  const next = takeBaseline(moved, 'd2', { baseline: BASELINE, findings: [] })
  assert.deepEqual(driftOf(next, moved, { containers: [], findings: [] }), [])
})

test('what the first look could not tell is learnt later, and then not asked for again', () => {
  const whole = partOf(aHost(), 'shop')
  const { configurations } = whole
  const bare = Object.fromEntries(
    Object.entries(configurations).map(([id, { fingerprint }]) => [id, { fingerprint }]),
  )
  const first = takeBaseline({ ...whole, configurations: bare, routes: null }, 'd1')
  assert.deepEqual(knownOf([first]), {})
  const later = completeBaseline(first, whole)
  assert.deepEqual(Object.keys(knownOf([later])).sort(), ['id-job', 'id-web'])
  assert.equal(completeBaseline(later, whole), later)
})
