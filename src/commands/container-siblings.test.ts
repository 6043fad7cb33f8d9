import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import type { ContainerStartData } from './container-data.ts'
import { planPlaces, type Siblings } from './container-siblings.ts'

const SLOTS = ['10.1.0.16', '10.1.0.17'] as const

function data(changes: Partial<ContainerStartData> = {}): ContainerStartData {
  return {
    app: 'shop',
    deployment: 'new',
    commit: 'c'.repeat(40),
    configHash: 'a'.repeat(64),
    image: 'fairlead/shop:t-1',
    environment: {},
    health: { withinMs: 1000 },
    volumes: [],
    ports: [],
    stopGraceSeconds: 1,
    ...changes,
  }
}

function sibling(
  deployment: string,
  changes: Partial<ContainerFacts> & { ip?: string; config?: string } = {},
) {
  const { ip = SLOTS[0], config = 'x', ...facts } = changes
  return {
    id: deployment,
    name: `shop-${deployment}`,
    labels: { 'io.fairlead.deployment': deployment, 'io.fairlead.config': config },
    state: 'running',
    exitCode: 0,
    outOfMemory: false,
    memoryBytes: 0,
    error: '',
    startedAt: '2026-11-20T10:00:00Z',
    restarts: 0,
    imageId: 'sha256:1',
    image: 'x',
    health: 'none' as const,
    healthLog: [],
    addresses: { fairlead: ip },
    hostPorts: [],
    writesVolumes: false,
    ownVolumes: false,
    ...facts,
  }
}

function places(changes: Partial<Siblings>) {
  const { present, leftovers, mustYield, ip, slot } = planPlaces({
    data: data(),
    siblings: [],
    slots: SLOTS,
    current: undefined,
    network: 'fairlead',
    ...changes,
  })
  return { present: present?.id, leftovers: leftovers.map(each => each.id), yields: mustYield?.id, ip, slot }
}

const NOTHING = { present: undefined, leftovers: [], yields: undefined }

describe('the place of a new container', () => {
  test('is the first address when there is no other container', () => {
    assert.deepEqual(places({}), { ...NOTHING, ip: SLOTS[0], slot: 0 })
  })

  for (const [taken, free, slot] of [
    [SLOTS[0], SLOTS[1], 1],
    [SLOTS[1], SLOTS[0], 0],
    ['10.9.9.9', SLOTS[0], 0],
  ] as const) {
    test(`is ${free} when what serves has ${taken}`, () => {
      const siblings = [sibling('old', { ip: taken })]
      assert.deepEqual(places({ siblings, current: 'old' }), { ...NOTHING, ip: free, slot })
    })
  }

  test('is taken from what an interrupted deployment left, which is removed', () => {
    const siblings = [sibling('lost', { ip: SLOTS[1], startedAt: '2026-11-20T11:00:00Z' }), sibling('old')]
    assert.deepEqual(places({ siblings, current: 'old' }), {
      ...NOTHING,
      leftovers: ['lost'],
      ip: SLOTS[1],
      slot: 1,
    })
  })

  test('is beside the one that the manager knows when nothing is routed', () => {
    const siblings = [
      sibling('lost', { startedAt: '2026-11-20T11:00:00Z' }),
      sibling('old', { ip: SLOTS[1] }),
    ]
    const found = places({ siblings, data: data({ previous: 'old' }) })
    assert.deepEqual(found, { ...NOTHING, leftovers: ['lost'], ip: SLOTS[0], slot: 0 })
  })

  test('is beside the one started last when nobody knows more', () => {
    const siblings = [sibling('old'), sibling('newer', { ip: SLOTS[1], startedAt: '2026-11-20T11:00:00Z' })]
    assert.deepEqual(places({ siblings }), { ...NOTHING, leftovers: ['old'], ip: SLOTS[0], slot: 0 })
  })

  test('is the one it has already when the deployment started it before', () => {
    const siblings = [sibling('new', { ip: SLOTS[1], config: 'a'.repeat(64) }), sibling('old')]
    const found = places({ siblings, current: 'old' })
    assert.deepEqual(found, { ...NOTHING, present: 'new', ip: SLOTS[1], slot: 1 })
  })

  for (const [what, changes] of [
    ['ended', { state: 'exited' }],
    ['was made from other settings', { config: 'b'.repeat(64) }],
    ['was started again by the engine', { restarts: 1 }],
  ] as const) {
    test(`is made anew when the deployment's own container ${what}`, () => {
      const siblings = [sibling('new', { config: 'a'.repeat(64), ...changes })]
      assert.deepEqual(places({ siblings }), { ...NOTHING, leftovers: ['new'], ip: SLOTS[0], slot: 0 })
    })
  }
})

describe('what serves makes room', () => {
  const ports = [{ host: 21_000, container: 80 }]
  for (const [what, wanted, old, yields] of [
    ['for a host port that it holds', { ports }, { hostPorts: ['21000'] }, true],
    ['not for another host port', { ports }, { hostPorts: ['21001'] }, false],
    ['for a volume', { volumes: [{ name: 'd', path: '/d' }] }, {}, true],
    [
      'not for a volume that is only read',
      { volumes: [{ name: 'd', path: '/d', readOnly: true }] },
      {},
      false,
    ],
    ['not for a shared volume', { volumes: [{ name: 'd', path: '/d', shared: true }] }, {}, false],
  ] as const) {
    test(what, () => {
      const changes = wanted as unknown as Partial<ContainerStartData>
      const siblings = [sibling('old', old as unknown as Partial<ContainerFacts>)]
      const found = places({ data: data(changes), siblings, current: 'old' })
      assert.equal(found.yields, yields ? 'old' : undefined)
    })
  }
})
