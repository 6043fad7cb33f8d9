import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { peersIn } from '#agent/peers.ts'
import { startTestAgent, type TestAgent, testCommands } from '#agent/test-agent.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { silentLogger } from '#lib/logger.ts'
import { forgetEarlier, prepareIdentity, takeIdentity } from '#link/changed-identity.ts'
import { type Identity, loadIdentity, loadOrCreateIdentity } from '#link/identity.ts'
import { anIdentity, temporaryFolder } from '#link/test-identities.ts'
import { AgentConnection } from '#manager/agents/connection.ts'
import { tell } from '#manager/agents/tell.ts'
import { connectTo, FakeAgent, until } from '#manager/agents/test-agent.ts'
import { openTestStore } from '#manager/deployments/test-store.ts'
import { ChangedKey, type HostKey } from '#manager/hosts/changed-key.ts'

const WAIT = { waitMs: 60_000 }
const ROW = { role: 'worker', address: 'x:1', identity: '{}', created_at: 1 } as const

interface Speaker {
  readonly identity: Identity
  readonly key?: HostKey | undefined
  readonly epoch: number
}

function connected(t: TestContext, agent: TestAgent, { epoch, ...speaker }: Speaker): AgentConnection {
  const connection = new AgentConnection({
    ...{ address: agent.address, pin: agent.pin, commands: testCommands(agent.stage) },
    ...{ clock: systemClock, logger: silentLogger, epoch: () => epoch, ...speaker },
  })
  t.after(() => connection.close())
  return connection
}

async function so(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = systemClock.now() + 180_000
  while (!(await isSo())) {
    assert.ok(systemClock.now() < end, 'it did not come about')
    await systemClock.sleep(10)
  }
}

test('R75 hosts learn a new key of the manager by the old one, one that was away later; what is at work goes on', async t => {
  const store = await openTestStore()
  t.after(() => store.close())
  const { db } = store
  const place = { folder: temporaryFolder(t), clock: systemClock }
  const who = { ...place, name: 'manager', role: 'manager' } as const
  const old = loadOrCreateIdentity(who)
  const options = { manager: old }
  const agents = { here: await startTestAgent(t, options), away: await startTestAgent(t, options) }
  await db
    .insertInto('hosts')
    .values([
      { ...ROW, name: 'here' },
      { ...ROW, name: 'away' },
    ])
    .execute()
  const next = prepareIdentity(place)
  const pinned = (name: keyof typeof agents) =>
    peersIn(agents[name].folder)
      .load()
      .map(({ keyId }) => keyId)
  const rowOf = async (name: string) =>
    await db.selectFrom('hosts').selectAll().where('name', '=', name).executeTakeFirstOrThrow()
  /** What a manager does when it is started. */
  async function start(epoch: number) {
    const { present, earlier } = takeIdentity(who)
    const parts = { db, logger: silentLogger, present, earlier }
    const changing = new ChangedKey({ ...parts, forget: () => forgetEarlier(place) })
    await changing.settle()
    const to = async (name: keyof typeof agents) =>
      connected(t, agents[name], { identity: present, key: changing.of(await rowOf(name)), epoch })
    return { earlier, to }
  }

  const first = await start(1)
  const connection = await first.to('here')
  const working = tell(connection, {
    ...{ id: newId(), command: 'test.wait', params: { gate: 'work' }, deadlineMs: 600_000 },
    ...WAIT,
  })
  await so(() => pinned('here').join() === next)
  assert.equal((await rowOf('here')).manager_key, next)
  assert.deepEqual(pinned('away'), [old.keyId])
  agents.here.stage.open('work')
  assert.deepEqual(await working, { waited: 'work' })
  await connection.close()

  const thief = loadIdentity({ ...place, folder: join(place.folder, 'earlier') })
  const refused = connected(t, agents.here, { identity: thief, epoch: 50 })
  await until(refused, () => refused.state().lastError !== undefined)
  assert.match(refused.state().lastError?.code ?? '', /^AGENT_(UNREACHABLE|UNPROVEN|REFUSED)$/)
  await refused.close()

  // The manager knows that the host has the key, and was killed before it came with it; and the other way round.
  await db.updateTable('hosts').set({ manager_key: null }).where('name', '=', 'here').execute()
  const second = await start(2)
  assert.equal(second.earlier?.keyId, old.keyId)
  const again = await second.to('here')
  await again.link(WAIT)
  assert.equal((await rowOf('here')).manager_key, next)
  await db.updateTable('hosts').set({ manager_key: next }).where('name', '=', 'away').execute()
  const back = await second.to('away')
  await so(() => pinned('away').join() === next)
  await so(() => !existsSync(join(place.folder, 'earlier')))
  await Promise.all([again.close(), back.close()])

  const last = await start(3)
  assert.equal(last.earlier, undefined)
  for (const name of ['here', 'away'] as const) {
    await (await last.to(name)).link(WAIT)
  }
})

test('R75 an agent of a release that cannot learn a key is reached with the one that it knows, and told nothing that it does not', async t => {
  const store = await openTestStore()
  t.after(() => store.close())
  const agent = new FakeAgent(t)
  const present = anIdentity(t, 'manager')
  const changing = new ChangedKey({
    ...{ db: store.db, logger: silentLogger, present, earlier: agent.manager },
    forget: () => assert.fail('the key that it knows is gone'),
  })
  const key = changing.of({ name: 'old', manager_key: null })
  const { connection } = await connectTo(t, agent, { identity: present, key })
  const link = await connection.link(WAIT)
  assert.deepEqual(link.agent.capabilities, ['test.echo'])
  // Whatever was said before it has been heard when this is.
  link.send('cancel', { id: newId() })
  await so(() => agent.heard.some(({ command }) => command === 'cancel'))
  assert.ok(!agent.heard.some(({ command }) => command === 'successor'))
})
