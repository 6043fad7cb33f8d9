import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { AppliedFirewall, SeenFirewall } from '#commands/firewall-data.ts'
import type { HostChecked } from '#commands/host-check.ts'
import { COMMANDS } from '#commands/index.ts'
import { asOpenings, openPorts } from '#firewall/open-ports.ts'
import type { Opening } from '#firewall/opening.ts'
import { systemClock } from '#lib/clock.ts'
import { FairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { silentLogger } from '#lib/logger.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import { pinOf } from '#link/public-identity.ts'
import { createAgents } from '#manager/agents/agents.ts'
import { AgentConnection } from '#manager/agents/connection.ts'
import { tell } from '#manager/agents/tell.ts'
import { addApp, openTestStore } from '#manager/deployments/test-store.ts'
import { bringFirewall } from '#manager/firewall/bring-firewall.ts'
import { type GuardedHost, startGuardedHost } from '#world/guarded-host.ts'
import { temporaryFolder } from '#world/temporary-folder.ts'

const REPLACED = 12
const LONG_MS = 600_000
const BOUNDS = 'keep: [9001]\nports: [8000-8999]\nnever: [8555]\n'

const stack = new AsyncDisposableStack()
let host: GuardedHost
let link: (address?: string) => AgentConnection

before(async () => {
  const folder = await temporaryFolder(stack)
  const identity = loadOrCreateIdentity({ folder, clock: systemClock, name: 'manager', role: 'manager' })
  host = await startGuardedHost(stack, { manager: publicIdentity(identity), bounds: BOUNDS })
  await host.start()
  link = (address = host.address) =>
    new AgentConnection({
      address,
      identity,
      pin: pinOf(host.identity),
      epoch: () => 1,
      commands: COMMANDS,
      clock: systemClock,
      logger: silentLogger,
    })
  // Of the host itself, of a container that publishes other ports, and of one that nobody outside may see.
  await host.engine.docker(
    'run',
    '-d',
    '--name',
    'web',
    '-p',
    '8100:80',
    '-p',
    '8101:81/udp',
    'base:1',
    'sleep',
    '1d',
  )
  await Promise.all([host.echo([8001, 8002, 9001, 9001]), host.echo([80, 81], 'web')])
})

after(() => stack.disposeAsync())

async function told<T>(command: string, params: unknown): Promise<T> {
  const connection = link()
  try {
    const options = { id: newId(), command, params, deadlineMs: 60_000, waitMs: 60_000 }
    return (await tell(connection, options)) as T
  } finally {
    await connection.close()
  }
}

const observe = () => told<SeenFirewall>('firewall.observe', {})

/** Every command on a connection of its own: what is confirmed was reached anew. */
async function wanted(openings: readonly Opening[]): Promise<AppliedFirewall> {
  const applied = await told<AppliedFirewall>('firewall.apply', { openings, confirmWithinMs: LONG_MS })
  if (applied.change !== undefined) {
    await told('firewall.confirm', { change: applied.change })
  }
  return applied
}

function open(protocol: 'tcp' | 'udp', port: number, ...sources: string[]): Opening {
  return { protocol, first: port, last: port, sources }
}

async function expectReached(expected: Record<string, boolean>): Promise<void> {
  assert.deepEqual(await host.reached(expected), expected)
}

const everything = (isOpen: boolean) => ({
  'tcp4 8001': isOpen,
  'tcp6 8001': isOpen,
  'udp4 8002': isOpen,
  'udp6 8002': isOpen,
  'tcp4 8100': isOpen,
  'tcp6 8100': isOpen,
  'udp4 8101': isOpen,
  'udp6 8101': isOpen,
})
const ALL = [open('tcp', 8001), open('udp', 8002), open('tcp', 8100), open('udp', 8101)]
const KEPT = { 'tcp4 9001': true, 'tcp6 9001': true, 'udp4 9001': true, 'udp6 9001': true }

test('R82 F03 ports of the host and ports that Docker publishes are closed until they are opened, and no rule of others changes', async () => {
  const before = await host.foreignRules()
  assert.match(before, /DOCKER/)
  // Nobody has wanted anything yet: a host is guarded from the first time on.
  await expectReached({ ...everything(true), 'tcp 172.17.0.2:80': true })
  await wanted([])
  await expectReached({ ...everything(false), ...KEPT, 'tcp 172.17.0.2:80': false })
  const { opened } = await wanted(ALL)
  assert.deepEqual(opened, [
    ...['tcp 8001 from everybody', 'tcp 8100 from everybody'],
    ...['udp 8002 from everybody', 'udp 8101 from everybody'],
  ])
  // By its own address a container is reached by nobody.
  await expectReached({ ...everything(true), ...KEPT, 'tcp 172.17.0.2:80': false })
  assert.deepEqual(await wanted(ALL), { opened: [], closed: [] })
  assert.equal(await host.foreignRules(), before)
})

test('R82 a port that is opened for some addresses is closed for all others, also when Docker publishes it', async () => {
  const some = [
    open('tcp', 8001, '192.0.2.0/24', 'fd00:192::/64'),
    open('tcp', 8100, '192.0.2.2', 'fd00:192::2'),
    open('udp', 8002, '192.0.2.0/25'),
  ]
  await wanted(some)
  const expected = { ...everything(false), 'tcp4 8001': true, 'tcp6 8001': true, 'udp4 8002': true }
  await expectReached({ ...expected, 'tcp4 8100': true, 'tcp6 8100': true })
  const { closed, opened } = await wanted(
    some.map(each => ({ ...each, sources: ['198.51.100.0/24', 'fd01::/16'] })),
  )
  assert.equal(opened.length, 3)
  assert.ok(closed.includes('tcp 8100 from 192.0.2.2, fd00:192::2'))
  await expectReached({ ...everything(false), ...KEPT })
})

for (const [what, opening] of [
  ['SSH', open('tcp', 22)],
  ['its own port', open('tcp', 7444)],
  ['all ports', { ...open('tcp', 1), last: 65_535 }],
  ['a port outside of the bounds', open('udp', 53)],
  ['a port that is never opened', open('tcp', 8555)],
  ['port 0', open('tcp', 0)],
  ['port 65536', open('tcp', 65_536)],
  ['a text in the place of a port', { ...open('tcp', 8001), first: '80;drop' }],
  ['a text in the place of an address', open('tcp', 8001, '0.0.0.0/0; accept')],
] as const) {
  test(`F01 X01 a manager with valid keys that wants ${what} opened is refused, and nothing changes`, async () => {
    const rules = await host.run('nft', '-s', 'list', 'ruleset')
    await assert.rejects(
      wanted([...ALL, opening as Opening]),
      error => error instanceof FairleadError && /^(OPENING_FORBIDDEN|BAD_PARAMS)$/.test(error.code),
    )
    assert.equal(await host.run('nft', '-s', 'list', 'ruleset'), rules)
  })
}

test('M24 what workers do is refused by a guardian', async () => {
  await assert.rejects(
    told('host.check', {}),
    error => error instanceof FairleadError && error.code === 'FORBIDDEN_COMMAND',
  )
})

test('R99 a guardian tells its time, and what is left where it keeps its files', async () => {
  const asked = systemClock.now()
  const { checks, now } = await told<HostChecked>('guardian.check', {})
  assert.deepEqual(
    checks.map(({ name }) => name),
    ['disk'],
  )
  assert.match(checks[0]?.detail ?? '', /^\d+\.\d GB .*free.* where the guardian keeps its files$/)
  assert.ok(asked <= now && now <= systemClock.now())
})

test('rules that somebody changes by hand are put right', async () => {
  await wanted([open('tcp', 8001)])
  const before = await host.run('nft', '-s', 'list', 'table', 'inet', 'fairlead')
  await host.run('nft', 'add', 'element', 'inet', 'fairlead', 'tcp_any', '{ 8100 }')
  await host.run('nft', 'insert', 'rule', 'inet', 'fairlead', 'input', 'accept')
  await until(async () => (await host.run('nft', '-s', 'list', 'table', 'inet', 'fairlead')) === before)
  await until(async () => (await observe()).repairs >= 1)
  const { drift, open: seen, confirmed } = await observe()
  assert.deepEqual(drift, [])
  assert.deepEqual(confirmed, [open('tcp', 8001)])
  assert.ok(seen?.some(each => each.first === 8001) && !seen.some(each => each.first === 8100))
  await host.run('nft', 'delete', 'table', 'inet', 'fairlead')
  await until(async () => (await host.run('nft', '-s', 'list', 'tables')).includes('inet fairlead'))
  await expectReached({ ...everything(false), ...KEPT, 'tcp4 8001': true, 'tcp6 8001': true })
})

test('R82 while rules are replaced nothing that is open is dropped, and nothing that is closed is let through', async () => {
  await wanted([open('tcp', 8001), open('udp', 8002)])
  await expectReached({ 'tcp4 8001': true, 'udp4 8002': true, 'tcp4 8100': false })
  await using watch = host.watch({ kept: 8001, open: 8002, closedTcp: 8100, closedUdp: 8101 })
  const look = () => watch.look()
  await until(async () => (await look()).kept > 0)
  const before = await look()
  for (let at = 0; at < REPLACED; at++) {
    await wanted([open('tcp', 8001), open('udp', 8002), open('tcp', 8200 + at)])
  }
  const { kept, answered, tried, ...wrong } = await look()
  assert.deepEqual(wrong, { isBroken: false, dropped: 0, leaked: 0 })
  for (const [count, at] of [
    [kept, before.kept],
    [answered, before.answered],
    [tried, before.tried],
  ] as const) {
    assert.ok(count - at > REPLACED, `${count - at} tries`)
  }
  // What would be seen: without the table, until the guardian puts it back.
  await host.run('nft', 'delete', 'table', 'inet', 'fairlead')
  await until(async () => (await look()).leaked > 0)
  await until(async () => (await host.run('nft', '-s', 'list', 'tables')).includes('inet fairlead'))
})

test('a change that nobody confirms is undone, and can no longer be confirmed', async () => {
  await wanted([open('tcp', 8001)])
  const { change } = await told<AppliedFirewall>('firewall.apply', {
    openings: [open('tcp', 8100)],
    confirmWithinMs: 1_000,
  })
  await until(async () => (await observe()).pending === null)
  await assert.rejects(
    told('firewall.confirm', { change }),
    error => error instanceof FairleadError && error.code === 'CHANGE_UNDONE',
  )
  await expectReached({ 'tcp4 8001': true, 'tcp4 8100': false, 'tcp6 8100': false })
  assert.deepEqual((await observe()).confirmed, [open('tcp', 8001)])
})

test('F02 a change is not confirmed over the connection that it was told over', async () => {
  await wanted([open('tcp', 8001)])
  const connection = link()
  const over = <T>(command: string, params: unknown) =>
    tell(connection, { id: newId(), command, params, deadlineMs: 60_000, waitMs: 60_000 }) as Promise<T>
  const openings = [open('tcp', 8100)]
  const applied = await over<AppliedFirewall>('firewall.apply', { openings, confirmWithinMs: LONG_MS })
  const { change } = applied
  await assert.rejects(over('firewall.confirm', { change }), {
    code: 'CONFIRMED_OVER_OLD_CONNECTION',
  })
  await connection.close()
  assert.equal((await observe()).pending, change)
  await told('firewall.confirm', { change })
  assert.deepEqual((await observe()).confirmed, openings)
})

test('F02 when the guardian is killed between a change and its confirmation, the old rules come back without it', async () => {
  await wanted([open('tcp', 8001)])
  const rules = await host.run('nft', '-s', 'list', 'table', 'inet', 'fairlead')
  const { change } = await told<AppliedFirewall>('firewall.apply', {
    openings: [open('tcp', 8100)],
    confirmWithinMs: 3_000,
  })
  await host.kill()
  // It was still at work on it: what undoes the change is not the guardian.
  assert.ok(change && !(await host.log()).includes(`"event":"guardian.undone","change":"${change}"`))
  await until(async () => (await host.run('nft', '-s', 'list', 'table', 'inet', 'fairlead')) === rules)
  await expectReached({ 'tcp4 8001': true, 'tcp4 8100': false })
  await host.start()
  const { confirmed, drift, pending } = await observe()
  assert.deepEqual(
    { confirmed, drift, pending },
    { confirmed: [open('tcp', 8001)], drift: [], pending: null },
  )
})

test('F02 a guardian that starts after a restart of the host undoes a change that nobody confirmed, whatever time it had', async () => {
  await wanted([open('tcp', 8001)])
  await told('firewall.apply', { openings: [open('tcp', 8100)], confirmWithinMs: LONG_MS })
  await expectReached({ 'tcp4 8001': false, 'tcp4 8100': true })
  await host.kill()
  // As a restart of the host leaves it: no rules, and nothing that runs.
  await host.run('nft', 'delete', 'table', 'inet', 'fairlead')
  await host.start()
  await expectReached({ ...everything(false), 'tcp4 8001': true, 'tcp6 8001': true })
  const { confirmed, pending } = await observe()
  assert.deepEqual({ confirmed, pending }, { confirmed: [open('tcp', 8001)], pending: null })
})

test('R78 R81 the manager brings a host to what the apps there want, and confirms it over a new connection', async () => {
  await wanted([])
  await using here = new AsyncDisposableStack()
  const store = here.adopt(await openTestStore(), open => open.close())
  let opened = 0
  const agents = createAgents({
    ...store,
    open: each => {
      opened += each.name === host.identity.name ? 1 : 0
      return link(each.address)
    },
  })
  here.defer(() => agents.close())
  const common = { identity: JSON.stringify(host.identity), created_at: 1 }
  const { name } = host.identity
  await store.db
    .insertInto('hosts')
    .values([
      { ...common, name, role: 'guardian', address: host.address },
      // An agent serves one connection at a time: the worker is another one, which is away.
      { ...common, name: 'local', role: 'worker', guardian: name, address: '127.0.0.1:1' },
    ])
    .execute()
  const app = await addApp(store, 'web')
  const list = { source: '{}', created_at: 1, fetched_at: 1, asked_at: 1, problem: null }
  await store.db
    .insertInto('address_lists')
    .values([
      { ...list, name: 'peers', networks: '["192.0.2.0/25"]' },
      { ...list, name: 'strangers', networks: '["198.51.100.0/24"]' },
    ])
    .execute()
  const asked = [open('tcp', 8100), open('tcp', 8001, '@peers'), open('udp', 8002, '@strangers')]
  await store.db
    .insertInto('openings')
    .values(
      asOpenings(openPorts(asked)).map(({ sources, ...ports }) => ({
        ...{ app_id: app, deployment_id: 'd', ...ports, sources: JSON.stringify(sources) },
      })),
    )
    .execute()
  await agents.refresh()
  const before = opened
  const parts = { db: store.db, agents }
  assert.deepEqual(await bringFirewall(parts, name, { waitMs: 60_000 }).then(({ opened }) => opened), [
    ...['tcp 8001 from 192.0.2.0/25', 'tcp 8100 from everybody', 'udp 8002 from 198.51.100.0/24'],
  ])
  assert.ok(opened > before)
  const again = await bringFirewall(parts, name, { waitMs: 60_000 })
  assert.deepEqual(again, { opened: [], closed: [], refused: [] })
  const reached = { 'tcp4 8100': true, 'tcp6 8100': true, 'tcp4 8001': true, 'tcp6 8001': false }
  await expectReached({ ...reached, 'udp4 8002': false })
})

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(60_000)
  while (!(await isSo())) {
    await systemClock.sleep(100, signal)
  }
}
