import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FairleadError } from '#lib/errors.ts'
import { keysHash, packagesHash, systemConfig, systemDevices, systemParts } from '#programs/incus-system.ts'
import { system } from './system.ts'
import { type SystemSettings, shapeHash, shapeOf } from './system-settings.ts'
import type { PlanInput } from './target.ts'

const ID = '01990000-0000-7000-8000-000000000001'
const DEPLOYMENT = 'd1'
const KEY = `ssh-ed25519 ${'A'.repeat(40)}`
const PLACE = { pool: 'default', network: 'incusbr0', address: '0.0.0.0' }
const SETTINGS: SystemSettings = {
  ...{ image: 'debian12', memory_bytes: 2 ** 30, cpus: 1.5, processes: 500, disk_bytes: 2 ** 33 },
  ...{ running: true, restarts: 0, guarded: true, keys: [KEY], snapshots: [] },
  ports: [{ protocol: 'tcp', host: 22_000, container: 22, sources: ['10.0.0.0/8'] }],
}
const NOTHING = {
  ...{ system: null, isTaken: false, image: 'f'.repeat(64), images: ['debian12'], pool: 'default' },
  ...{ driver: 'btrfs', place: PLACE, host: 'box' },
}

function present(settings: SystemSettings, change: object = {}) {
  const shape = shapeOf(settings)
  return {
    ...NOTHING,
    system: {
      ...{ name: 'ada', status: 'running', isWhole: true, deployment: 'd0', restarts: 0, restored: 0 },
      ...{ configHash: shapeHash(shape), keysHash: keysHash(settings.keys), createdAt: '', snapshots: [] },
      parts: systemParts(systemConfig(shape), systemDevices(shape, PLACE)),
      ...change,
    },
  }
}

function planned(settings: SystemSettings, found: object, content?: object) {
  return system.plan({
    ...{ app: { id: ID, name: 'ada', baseDomain: 'localhost' }, settings, deployment: DEPLOYMENT },
    ...{ found: { system: found }, secrets: {}, registry: undefined },
    previous: content && { id: 'r', commit: 'c', configHash: 'h', content },
  } as unknown as PlanInput<never>)
}

function commands(...of: Parameters<typeof planned>): string[] {
  return planned(...of).apply.map(({ command }) => command)
}

test('one that is not there is made, let in to, started and proved', () => {
  const plan = planned(SETTINGS, NOTHING)
  assert.deepEqual(
    plan.apply.map(({ command }) => command),
    ['system.create', 'system.authorize', 'system.start'],
  )
  assert.deepEqual([plan.verify[0]?.data.ssh, plan.verify[0]?.data.mustRun], [22_000, ['system']])
  assert.deepEqual(plan.undo, [
    { key: 'undo', command: 'system.delete', data: { id: ID, madeBy: DEPLOYMENT } },
  ])
})

test('a worker that can tell by its name what is on a member that is away is told the name', () => {
  const app = { id: ID, name: 'ada', baseDomain: 'localhost' }
  const knows = (command: string) => command === 'system.member-look'
  const removed = (more: object) => system.remove({ app, volumes: 'delete', ...more })[0]?.data
  assert.deepEqual(removed({}), { id: ID })
  assert.deepEqual(removed({ knows: () => false }), { id: ID })
  assert.deepEqual(removed({ knows }), { id: ID, name: 'ada' })
})

test('one that is as it should be is left alone', () => {
  const plan = planned(SETTINGS, present(SETTINGS))
  assert.deepEqual([plan.nothingToDo, plan.apply, plan.verify], [true, [], []])
})

test('what its profile has is installed once it runs, and not again', () => {
  const profile = { name: 'web', packages: ['openssh-server', 'nginx'] }
  const wanted = { ...SETTINGS, profile }
  const able = { ...NOTHING, installs: true }
  assert.deepEqual(commands(wanted, able).slice(-2), ['system.start', 'system.install'])
  assert.deepEqual(commands({ ...wanted, running: false }, able).includes('system.install'), false)
  const done = { ...present(wanted, { packagesHash: packagesHash(profile.packages) }), installs: true }
  assert.equal(planned(wanted, done).nothingToDo, true)
  // A worker of an older release is asked only for what nobody would otherwise notice the lack of.
  const plain = { ...SETTINGS, profile: { name: 'default', packages: ['openssh-server'] } }
  assert.deepEqual(commands(plain, NOTHING).includes('system.install'), false)
  assert.deepEqual(commands(wanted, NOTHING).includes('system.install'), true)
})

test('a half-made one is made anew, and no snapshot of it is asked for', () => {
  const wanted = { ...SETTINGS, snapshots: ['s1'] }
  assert.deepEqual(commands(wanted, present(SETTINGS, { isWhole: false })), [
    'system.create',
    'system.authorize',
    'system.start',
  ])
})

test('only what differs is done', () => {
  const more = { ...SETTINGS, memory_bytes: 2 ** 31 }
  assert.deepEqual(commands(more, present(SETTINGS)), ['system.resize'])
  const byHand = present(SETTINGS)
  const parts = { ...byHand.system.parts, 'limits.memory': '1TiB' }
  assert.deepEqual(commands(SETTINGS, present(SETTINGS, { parts })), ['system.resize'])
  const swapping = { ...byHand.system.parts, 'limits.memory.swap': 'true' }
  assert.deepEqual(commands(SETTINGS, present(SETTINGS, { parts: swapping })), ['system.resize'])
  assert.deepEqual(commands({ ...SETTINGS, keys: [] }, present(SETTINGS)), ['system.authorize'])
  assert.deepEqual(commands({ ...SETTINGS, restarts: 1 }, present(SETTINGS)), ['system.start'])
  assert.deepEqual(commands({ ...SETTINGS, running: false }, present(SETTINGS)), ['system.stop'])
  assert.deepEqual(commands(SETTINGS, present(SETTINGS, { name: 'old' })), ['system.rename', 'system.start'])
})

test('a right that somebody gave it by hand is taken from it, and from what runs in it too', () => {
  const { parts } = present(SETTINGS).system
  for (const key of ['security.nesting', 'security.privileged', 'raw.lxc']) {
    const given = present(SETTINGS, { parts: { ...parts, [key]: 'true' } })
    assert.deepEqual(commands(SETTINGS, given), ['system.resize', 'system.start'], key)
    assert.deepEqual(
      commands({ ...SETTINGS, running: false }, { ...given, system: { ...given.system, status: 'stopped' } }),
      ['system.resize'],
    )
  }
  // Taken from it, and killed before it was started anew.
  const again = planned(SETTINGS, present(SETTINGS, { restarts: -1 }))
  assert.deepEqual(
    again.apply.map(({ command }) => command),
    ['system.start'],
  )
  assert.equal(again.undo[0]?.data.restarts, 0)
})

test('a resize that fails goes back to the limits of the release before', () => {
  const shape = shapeOf(SETTINGS)
  const more = { ...SETTINGS, memory_bytes: 2 ** 31 }
  const plan = planned(more, present(SETTINGS), { shape, configHash: shapeHash(shape) })
  assert.deepEqual([plan.undo[0]?.command, plan.undo[0]?.data.shape], ['system.resize', shape])
})

test('R73 snapshots are taken and deleted as asked for; one that is lost is not taken of another day', () => {
  const wanted = { ...SETTINGS, snapshots: ['s1'] }
  assert.deepEqual(commands(wanted, present(SETTINGS), { snapshots: [] }), ['system.snapshot'])
  assert.deepEqual(commands(wanted, present(SETTINGS), { snapshots: ['s1'] }), [])
  const there = present(SETTINGS, {
    snapshots: [
      { name: 's1', createdAt: '' },
      { name: 'auto-0', createdAt: '' },
    ],
  })
  assert.deepEqual(commands(SETTINGS, there, { snapshots: ['s1'] }), ['system.forget-snapshot'])
})

test('R73 a snapshot that was given up is taken back, but not the one of just before a restore', () => {
  const wanted = { ...SETTINGS, snapshots: ['s1'] }
  const undo = (...of: Parameters<typeof planned>) => planned(...of).undo.map(({ command }) => command)
  assert.deepEqual(undo(wanted, present(SETTINGS), { snapshots: [] }), ['system.forget-snapshot'])
  const snapshots = [{ name: 's0', createdAt: '' }]
  const restored = { ...wanted, restore: { snapshot: 's0', count: 2 } }
  assert.deepEqual(undo(restored, present(SETTINGS, { snapshots }), { snapshots: ['s0'] }), [
    // A restore that went through all the same has brought the keys of its day.
    'system.authorize',
    'system.start',
  ])
  const released = { snapshots: ['s0'], shape: {}, configHash: 'c' }
  assert.deepEqual(
    undo(restored, present(SETTINGS, { snapshots }), released),
    ['system.resize', 'system.authorize', 'system.start'],
    'and the limits, ports and rights',
  )
})

test('R73 for a snapshot alone nobody has to be able to log in', () => {
  const wanted = { ...SETTINGS, snapshots: ['s1'] }
  const data = planned(wanted, present(SETTINGS), { snapshots: [] }).verify[0]?.data
  assert.deepEqual([data?.running, data?.ssh], [true, undefined])
})

test('what was asked for once is over with a deployment that did not do it; the rest stays wanted', () => {
  const snapshots = ['kept']
  const wanted = { ...SETTINGS, memory_bytes: 2 ** 31, member: 'k2', restarts: 9, snapshots: ['kept', 'new'] }
  const released = { snapshots, restarts: 3, member: 'k1' }
  assert.deepEqual(system.withdraw?.(wanted, released), { ...wanted, snapshots, restarts: 3, member: 'k1' })
  const { member: _, ...anywhere } = wanted
  const restoring = { ...wanted, restore: { snapshot: 'kept', count: 5 } }
  // Of an earlier release, which said nothing of new starts.
  assert.deepEqual(system.withdraw?.(restoring, { snapshots }), anywhere)
  const { snapshots: left } = system.withdraw?.(restoring, { snapshots, restore: restoring.restore }) ?? {}
  assert.deepEqual(left, snapshots, 'that restore was done before')
})

test('R73 a restore is done once, and lets the keys of today in', () => {
  const wanted = { ...SETTINGS, restore: { snapshot: 's1', count: 2 } }
  const snapshots = [{ name: 's1', createdAt: '' }]
  assert.deepEqual(commands(wanted, present(SETTINGS, { snapshots, restored: 1 })), [
    'system.restore',
    'system.authorize',
    'system.start',
  ])
  assert.deepEqual(commands(wanted, present(SETTINGS, { restored: 2 })), [])
  const other = { ...wanted, keys: [] }
  assert.deepEqual(
    commands(other, present(SETTINGS, { snapshots, restored: 1 })),
    ['system.authorize', 'system.restore', 'system.authorize', 'system.start'],
    'whoever is shut out is so first of all',
  )
  assert.deepEqual(
    commands(wanted, present(SETTINGS, { restored: 3 })),
    [],
    'one that was given up was later',
  )
  assert.throws(() => commands(wanted, present(SETTINGS)), isCode('SYSTEM_SNAPSHOT_GONE'))
})

test('what cannot be on this host is said before anything is done', () => {
  assert.throws(() => commands(SETTINGS, { ...NOTHING, isTaken: true }), isCode('SYSTEM_NAME_TAKEN'))
  assert.throws(() => commands(SETTINGS, { ...NOTHING, image: null }), isCode('SYSTEM_IMAGE_MISSING'))
  assert.throws(() => commands(SETTINGS, { ...NOTHING, driver: null }), isCode('SYSTEM_POOL_MISSING'))
  assert.throws(() => commands(SETTINGS, { ...NOTHING, driver: 'dir' }), isCode('SYSTEM_POOL_WITHOUT_LIMITS'))
  const { disk_bytes: _, ...unlimited } = SETTINGS
  assert.equal(commands(unlimited, { ...NOTHING, driver: 'dir' }).length, 3)
})

const MEMBERS = ['k1', 'k2', 'k3', 'k4'].map((name, at) => ({
  ...{ name, message: '', address: `192.0.2.${at}` },
  status: ['online', 'online', 'evacuated', 'offline'][at],
}))

function inCluster(found: object, member: string) {
  const { system: seen } = found as { system: object | null }
  return { ...found, cluster: { members: MEMBERS }, system: seen && { ...seen, member } }
}

test('R71 one is made on the member that is named, or moved there, started and proved', () => {
  const wanted = { ...SETTINGS, member: 'k2' }
  const created = planned(wanted, inCluster(NOTHING, ''))
  assert.deepEqual([created.apply[0]?.data.member, created.verify[0]?.data.member], ['k2', 'k2'])
  const plan = planned(wanted, inCluster(present(SETTINGS), 'k1'), { member: 'k1' })
  assert.deepEqual(
    plan.apply.map(({ command, data }) => [command, data.member]),
    [
      ['system.move', 'k2'],
      ['system.start', undefined],
    ],
  )
  assert.equal(plan.verify[0]?.data.member, 'k2')
  assert.deepEqual(
    plan.undo.map(({ command, data }) => [command, data.member]),
    [
      ['system.move', 'k1'],
      ['system.start', undefined],
    ],
  )
  const from = { backup: ID, sha256: 'a'.repeat(64) }
  assert.deepEqual(commands({ ...wanted, from }, inCluster(NOTHING, '')).slice(0, 2), [
    'system.create',
    'system.move',
  ])
})

test('R71 one that was moved away by somebody else goes back with the next deployment, but not to where nothing can be', () => {
  const elsewhere = inCluster(present(SETTINGS), 'k1')
  assert.deepEqual(commands({ ...SETTINGS, member: 'k2' }, elsewhere, { member: 'k2' })[0], 'system.move')
  for (const member of ['k3', 'k4']) {
    assert.deepEqual(commands({ ...SETTINGS, member }, elsewhere, { member }), [], member)
  }
  assert.deepEqual(commands(SETTINGS, elsewhere), [])
})

test('R71 a member that is named already where it is needs no move, and is kept', () => {
  const plan = planned({ ...SETTINGS, member: 'k1' }, inCluster(present(SETTINGS), 'k1'), {})
  assert.deepEqual([plan.apply, plan.nothingToDo, plan.release.member], [[], false, 'k1'])
})

test('R71 a member that is unknown, away or emptied is refused, and ports that cannot follow', () => {
  const there = inCluster(present(SETTINGS), 'k1')
  const to = (member: string) => ({ ...SETTINGS, member })
  assert.throws(() => commands(to('k9'), there), isCode('SYSTEM_MEMBER_UNKNOWN'))
  assert.throws(() => commands(to('k3'), there), isCode('SYSTEM_MEMBER_NOT_READY'))
  assert.throws(() => commands(to('k4'), inCluster(NOTHING, '')), isCode('SYSTEM_MEMBER_NOT_READY'))
  assert.throws(() => commands(to('k2'), present(SETTINGS)), isCode('SYSTEM_NO_CLUSTER'))
  const bound = { ...there, place: { ...PLACE, address: '192.0.2.1' } }
  assert.throws(() => commands(to('k2'), bound), isCode('SYSTEM_ADDRESS_OF_ONE'))
  // Where nobody says which member, Incus may choose any.
  assert.throws(() => commands(SETTINGS, { ...bound, system: null }), isCode('SYSTEM_ADDRESS_OF_ONE'))
  assert.deepEqual(
    commands(SETTINGS, { ...bound, system: null, cluster: { members: MEMBERS.slice(0, 1) } })[0],
    'system.create',
  )
})

test('its ports are opened where a guardian keeps the firewall, for whom its owner said', () => {
  assert.deepEqual(system.opens?.(SETTINGS as never), [
    { protocol: 'tcp', first: 22_000, last: 22_000, sources: ['10.0.0.0/8'] },
  ])
  assert.deepEqual(system.opens?.({ ...SETTINGS, guarded: false } as never), [])
})

test('a container gets no more than its devices say: one disk, one network, forwarded ports', () => {
  const devices = systemDevices(shapeOf(SETTINGS), PLACE)
  assert.deepEqual(Object.keys(devices), ['root', 'eth0', 'port-tcp-22000'])
  assert.equal(devices.root?.path, '/')
  assert.equal(devices['port-tcp-22000']?.connect, 'tcp:127.0.0.1:22')
  const config = systemConfig(shapeOf(SETTINGS))
  assert.deepEqual([config['security.privileged'], config['limits.cpu.allowance']], ['false', '150ms/100ms'])
})

function isCode(code: string) {
  return (error: unknown) => error instanceof FairleadError && error.code === code
}
