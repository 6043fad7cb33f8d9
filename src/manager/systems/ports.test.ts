import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createSealer } from '#manager/secrets/seal.ts'
import { changeSystem } from './change-system.ts'
import { createSystem } from './create-system.ts'
import type { SystemPort } from './ports.ts'
import { readSystem } from './queries.ts'
import { setQuota } from './quotas.ts'

const sealer = createSealer(Buffer.alloc(32, 1))
const NONE = { systems: null, cpus: null, memory_bytes: null, disk_bytes: null, ports: null }
const ADA = { id: newId(), name: 'ada' }
const RANGE = { first: 22_000, last: 22_003 }
const LIMITS = { memory_bytes: 2 ** 26, cpus: 0.5, processes: 100, disk_bytes: 2 ** 26 }
let store: TestStore

before(async () => {
  store = await openTestStore()
  for (const name of ['box', 'other']) {
    const host = { name, role: 'worker', address: '127.0.0.1:1', identity: '{}', created_at: 1 } as const
    await store.db.insertInto('hosts').values(host).execute()
  }
  const key = { line: `ssh-ed25519 ${'A'.repeat(40)}`, comment: '', fingerprint: 'SHA256:ada' }
  const row = { id: newId(), person: ADA.id, ...key, created_at: 1 }
  await store.db.insertInto('ssh_keys').values(row).execute()
})
after(() => store.close())

test('R71 a system keeps its ports wherever they stand among those that it is to have', async () => {
  await create('a', [80])
  assert.deepEqual(await portsOf('a'), { 22: 22_000, 80: 22_001 })
  await change('a', [8080, 80])
  assert.deepEqual(await portsOf('a'), { 22: 22_000, 8080: 22_002, 80: 22_001 })
  await change('a', [8080])
  assert.deepEqual(await portsOf('a'), { 22: 22_000, 8080: 22_002 })
  await change('a', [443, 8080])
  assert.deepEqual(
    await portsOf('a'),
    { 22: 22_000, 443: 22_001, 8080: 22_002 },
    'what is closed is free again',
  )
})

test('R71 what is asked for twice is refused, also the port of SSH, and changes nothing', async () => {
  await refused('PORT_TWICE', change('a', [443, 443]))
  await refused('PORT_TWICE', change('a', [22]))
  await refused('PORT_TWICE', create('b', [80, 80]))
  assert.deepEqual(await portsOf('a'), { 22: 22_000, 443: 22_001, 8080: 22_002 })
})

test('R71 when all ports of a host are given away it is told, nothing is made, and another host has its own', async () => {
  await create('b', [])
  await refused('PORTS_EXHAUSTED', create('c', []))
  await refused('PORTS_EXHAUSTED', change('a', [443, 8080, 53]))
  const names = await store.db.selectFrom('apps').select('name').orderBy('name').execute()
  assert.deepEqual(
    names.map(({ name }) => name),
    ['a', 'b'],
  )
  await create('c', [], 'other')
  assert.deepEqual(await portsOf('c'), { 22: 22_000 })
  await change('a', [443, 8080], 'udp')
  assert.deepEqual(
    await portsOf('a'),
    { 22: 22_000, 443: 22_000, 8080: 22_001 },
    'UDP has numbers of its own',
  )
})

test('R71 the port of SSH counts in the quota of ports, of a person and of a host', async () => {
  await setQuota(store.db, { kind: 'person', id: ADA.id }, { ...NONE, ports: 6 })
  await refused('QUOTA_EXCEEDED', create('d', [80], 'other'))
  await create('d', [], 'other')
  await refused('QUOTA_EXCEEDED', change('d', [80]))
  await change('a', [443], 'udp')
  await change('d', [80])
  await setQuota(store.db, { kind: 'person', id: ADA.id }, NONE)
  await setQuota(store.db, { kind: 'host', id: 'other' }, { ...NONE, ports: 3 })
  await refused('QUOTA_EXCEEDED', change('c', [80]))
  assert.deepEqual(await portsOf('d'), { 22: 22_001, 80: 22_002 })
})

async function create(name: string, ports: readonly number[], host = 'box'): Promise<unknown> {
  const wish = { name, host, image: 'debian12', limits: LIMITS, ports: wanted(ports) }
  return await createSystem({ ...store, sealer }, wish, { owner: ADA, by: 'ada', range: RANGE })
}

async function change(
  name: string,
  ports: readonly number[],
  protocol: SystemPort['protocol'] = 'tcp',
): Promise<unknown> {
  const all = [...wanted([22]), ...wanted(ports, protocol)]
  return await changeSystem(store, {
    ...{ name, by: 'ada', change: settings => settings },
    ports: { wanted: all, range: RANGE },
  })
}

function wanted(ports: readonly number[], protocol: SystemPort['protocol'] = 'tcp') {
  return ports.map(container => ({ protocol, container, sources: [] }))
}

/** Of the container -> of the host. */
async function portsOf(name: string): Promise<Record<number, number>> {
  const { settings } = await readSystem(store.db, name)
  return Object.fromEntries(settings.ports.map(({ container, host }) => [container, host]))
}

async function refused(code: string, asked: Promise<unknown>): Promise<void> {
  await assert.rejects(asked, { code })
}
