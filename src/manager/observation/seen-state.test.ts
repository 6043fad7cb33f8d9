import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SeenContainer } from '#commands/host-observe.ts'
import { INTERNAL, toWire } from '#lib/errors.ts'
import type { Finding } from './drift.ts'
import { type SeenHost, statusOf } from './seen-state.ts'

const NOW = 1_000_000
const HOST: SeenHost = { isConnected: true, observedAt: NOW - 5_000, unseen: undefined }

function stateOf(
  changes: readonly Partial<SeenContainer>[],
  host: Partial<SeenHost> = {},
  {
    isReleased = true,
    findings = [],
    releasedAt,
  }: { isReleased?: boolean; findings?: readonly Finding[]; releasedAt?: number } = {},
) {
  const containers = changes.map(
    change =>
      ({
        ...{ app: 'shop', service: 'web', id: 'c', name: 'shop-web-1', state: 'running', health: 'none' },
        ...{ exitCode: 0, restarts: 0, startedAt: '', image: 'i', imageId: 'i', configHash: '', ports: [] },
        ...change,
      }) as SeenContainer,
  )
  const app = { observation: { since: 1, containers }, isReleased, findings, releasedAt }
  const { state, reason } = statusOf(app, { ...HOST, ...host }, { now: NOW, everyMs: 60_000 })
  return `${state}${reason === null ? '' : `: ${reason}`}`
}

for (const [what, containers, seen] of [
  ['runs without a health check', [{}], 'running'],
  ['is healthy', [{ health: 'healthy' }], 'running'],
  ['has a one-shot service that ended well', [{}, { state: 'exited' }], 'running'],
  ['was stopped', [{ state: 'exited', exitCode: 137 }], 'stopped: shop-web-1 is exited (exit code 137)'],
  [
    'is a container app that ended with 0',
    [{ service: '', state: 'exited' }],
    'stopped: shop-web-1 is exited (exit code 0)',
  ],
  ['is paused', [{ state: 'paused' }], 'stopped: shop-web-1 is paused'],
  ['restarts again and again', [{ state: 'restarting' }], 'stopped: shop-web-1 is restarting'],
  ['is unhealthy', [{ health: 'unhealthy' }], 'degraded: shop-web-1 is unhealthy'],
  ['is not known to be healthy yet', [{ health: 'starting' }], 'degraded: shop-web-1 is starting'],
  ['lost one of two', [{}, { state: 'dead' }], 'degraded: shop-web-1 is dead'],
  ['was removed', [], 'missing: it has no container'],
  [
    'has only services that ended well',
    [{ state: 'exited' }, { state: 'exited' }],
    'stopped: none of its containers is running',
  ],
] as const) {
  test(`an app that ${what} is shown so`, () => assert.equal(stateOf(containers), seen))
}

const GONE: Finding = { kind: 'missing', what: 'shop-db-1', reason: 'shop-db-1 is gone', container: null }
const STOPPED: Finding = { kind: 'stopped', what: 'shop-web-1', reason: '', container: 'c' }
const JOB = { id: 'j', name: 'shop-job-1', state: 'exited' }

for (const [what, containers, findings, seen] of [
  ['lost a container', [{}], [GONE], 'degraded: shop-db-1 is gone'],
  ['lost one and had the other stopped', [JOB], [GONE], 'stopped: shop-db-1 is gone'],
  ['got the lost one back since', [{}, { name: 'shop-db-1' }], [GONE], 'running'],
  [
    'had one stopped that must run',
    [JOB, { state: 'exited' }, { id: 'd', name: 'shop-db-1' }],
    [STOPPED],
    'degraded: shop-web-1 is exited (exit code 0)',
  ],
  ['had it started again since', [{}, JOB], [STOPPED], 'running'],
] as const) {
  test(`an app that ${what} is shown so, by what differs from its deployment`, () =>
    assert.equal(stateOf(containers, {}, { findings }), seen))
}

for (const [what, host, reason] of [
  ['while its worker is away', { isConnected: false }, /not connected/],
  ['while the engine is down', { unseen: { ...toWire(INTERNAL('no engine')), since: 1 } }, /no engine/],
  ['before the first look', { observedAt: null }, /not looked at yet/],
  ['when the last look is too old', { observedAt: NOW - 181_000 }, /not looked at for 181 s/],
] as const) {
  test(`an app is "unknown" with the reason ${what}, whatever was seen before`, () => {
    const seen = stateOf([{}], host)
    assert.match(seen, /^unknown: /)
    assert.match(seen, reason)
  })
}

test('an app that was never deployed is not missing', () => {
  assert.equal(stateOf([], {}, { isReleased: false }), 'not-deployed')
})

test('what was asked for before a release was made tells nothing of it', () => {
  const observedAt = NOW - 5_000
  const outdated = 'unknown: its host was not looked at since its last deployment ended'
  assert.equal(stateOf([], { observedAt }, { releasedAt: observedAt + 1 }), outdated)
  assert.equal(stateOf([{}], { observedAt }, { releasedAt: observedAt + 1 }), outdated)
  assert.equal(stateOf([], { observedAt }, { releasedAt: observedAt }), 'missing: it has no container')
})
