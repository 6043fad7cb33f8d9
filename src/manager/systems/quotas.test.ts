import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createSealer } from '#manager/secrets/seal.ts'
import { changeSystem } from './change-system.ts'
import { createSystem } from './create-system.ts'
import { setQuota } from './quotas.ts'

const sealer = createSealer(Buffer.alloc(32, 1))
const NONE = { systems: null, cpus: null, memory_bytes: null, disk_bytes: null, ports: null }
const MIB = 2 ** 20
const OWNERS = ['ada', 'eve'].map(name => ({ id: newId(), name }))
const RANGE = { first: 22_000, last: 22_099 }
let store: TestStore

before(async () => {
  store = await openTestStore()
  const host = { name: 'box', role: 'worker', address: '127.0.0.1:1', identity: '{}', created_at: 1 } as const
  await store.db.insertInto('hosts').values(host).execute()
  for (const { id, name } of OWNERS) {
    const key = { line: `ssh-ed25519 ${'A'.repeat(40)}`, comment: '', fingerprint: `SHA256:${name}` }
    await store.db
      .insertInto('ssh_keys')
      .values({ id: newId(), person: id, ...key, created_at: 1 })
      .execute()
  }
})
after(() => store.close())

test('R71 those who ask at the same moment get together no more than the person and the host may have', async () => {
  const [ada, eve] = OWNERS as [(typeof OWNERS)[0], (typeof OWNERS)[0]]
  await setQuota(store.db, { kind: 'person', id: ada.id }, { ...NONE, systems: 2 })
  const own = await Promise.allSettled(['a1', 'a2', 'a3', 'a4'].map(name => create(ada, name)))
  assert.deepEqual(endsOf(own), ['QUOTA_EXCEEDED', 'QUOTA_EXCEEDED', 'made', 'made'])
  await setQuota(store.db, { kind: 'host', id: 'box' }, { ...NONE, memory_bytes: 4 * 64 * MIB })
  const both = await Promise.allSettled(['e1', 'e2', 'e3'].map(name => create(eve, name)))
  assert.deepEqual(endsOf(both), ['QUOTA_EXCEEDED', 'made', 'made'])
  await setQuota(store.db, { kind: 'host', id: 'box' }, { ...NONE, memory_bytes: 5 * 64 * MIB })
  const names = await store.db.selectFrom('apps').select('name').execute()
  const grown = await Promise.allSettled(names.map(({ name }) => grow(name)))
  assert.deepEqual(endsOf(grown), ['QUOTA_EXCEEDED', 'QUOTA_EXCEEDED', 'QUOTA_EXCEEDED', 'made'])
  const ports = await store.db.selectFrom('system_ports').select('port').execute()
  assert.equal(new Set(ports.map(({ port }) => port)).size, 4, 'nobody has the port of another')
})

async function create(owner: { readonly id: string; readonly name: string }, name: string): Promise<unknown> {
  const limits = { memory_bytes: 64 * MIB, cpus: 0.5, processes: 100, disk_bytes: 64 * MIB }
  const wish = { name, host: 'box', image: 'debian12', limits, ports: [] }
  return await createSystem({ ...store, sealer }, wish, { owner, by: owner.name, range: RANGE })
}

async function grow(name: string): Promise<unknown> {
  return await changeSystem(store, {
    ...{ name, by: 'ada' },
    change: settings => ({ ...settings, memory_bytes: 128 * MIB }),
  })
}

function endsOf(all: readonly PromiseSettledResult<unknown>[]): string[] {
  return all
    .map(each => (each.status === 'fulfilled' ? 'made' : String((each.reason as { code: string }).code)))
    .sort()
}
