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

test('R71 who asks for more ports than they may have, or than the host has left, gets none and keeps what they have', async () => {
  const [, eve] = OWNERS as [(typeof OWNERS)[0], (typeof OWNERS)[0]]
  const portsOf = async () =>
    (await store.db.selectFrom('system_ports').select('port').where('host', '=', 'box').execute()).length
  await setQuota(store.db, { kind: 'host', id: 'box' }, NONE)
  await setQuota(store.db, { kind: 'person', id: eve.id }, { ...NONE, ports: 4 })
  // Two systems of theirs have one for SSH each.
  const before = await portsOf()
  await assert.rejects(ask('e1', 3), { code: 'QUOTA_EXCEEDED', message: /5 ports/ })
  assert.equal(await portsOf(), before)
  await ask('e1', 2)
  assert.equal(await portsOf(), before + 2)
  await setQuota(store.db, { kind: 'person', id: eve.id }, NONE)
  const full = { ...RANGE, last: RANGE.first + before + 2 }
  await assert.rejects(ask('e1', 4, full), { code: 'PORTS_EXHAUSTED', message: /22000.*22006/ })
  assert.equal(await portsOf(), before + 2)
  await assert.rejects(create(eve, 'e4', { ...full, last: full.last - 1 }), { code: 'PORTS_EXHAUSTED' })
  // There is one left, and it is given to whoever asks next.
  await create(eve, 'e4', full)
  const kept = await store.db
    .selectFrom('system_ports')
    .select(({ fn }) => fn.max('port').as('last'))
    .executeTakeFirst()
  assert.equal(kept?.last, full.last)
})

async function create(
  owner: { readonly id: string; readonly name: string },
  name: string,
  range = RANGE,
): Promise<unknown> {
  const limits = { memory_bytes: 64 * MIB, cpus: 0.5, processes: 100, disk_bytes: 64 * MIB }
  const wish = { name, host: 'box', image: 'debian12', limits, ports: [] }
  return await createSystem({ ...store, sealer }, wish, { owner, by: owner.name, range })
}

/** So many ports beside the one for SSH. */
async function ask(name: string, count: number, range = RANGE): Promise<unknown> {
  const wanted = [22, ...Array.from({ length: count }, (_, at) => 8_000 + at)].map(
    container => ({ protocol: 'tcp', container, sources: [] as string[] }) as const,
  )
  return await changeSystem(store, {
    ...{ name, by: 'eve' },
    change: settings => settings,
    ports: { wanted, range },
  })
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
