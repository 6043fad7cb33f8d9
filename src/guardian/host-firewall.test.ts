import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Call, Perform } from '#exec/call.ts'
import { createPerform } from '#exec/perform.ts'
import type { PortRange } from '#firewall/bounds.ts'
import type { Opening } from '#firewall/opening.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { createRedactor } from '#lib/redact.ts'
import { temporaryFolder } from '#link/test-identities.ts'
import { HostFirewall } from './host-firewall.ts'

const OPENING: Opening = { protocol: 'tcp', first: 8001, last: 8001, sources: [] }
const BY_HAND = { rule: { family: 'inet', table: 'fairlead', chain: 'input', expr: [{ accept: null }] } }

interface Machine {
  readonly folder: string
  /** As the kernel has it; a restart takes it away. */
  table: unknown[] | undefined
}

interface Setting {
  readonly machine?: Machine
  readonly never?: readonly PortRange[]
  readonly clock?: typeof systemClock
}

/** A kernel that keeps what it is given; `after` is somebody else who writes right after each change. */
function aFirewall(
  t: TestContext,
  after: (table: unknown[]) => void,
  {
    machine = { folder: temporaryFolder(t), table: undefined },
    never = [],
    clock = systemClock,
  }: Setting = {},
) {
  const files = createPerform({
    clock: systemClock,
    say: () => {},
    signal: new AbortController().signal,
    redactor: createRedactor(),
  })
  const perform = (async (call: Call<unknown>) => {
    if (call.kind === 'file') {
      return await files(call)
    }
    if (call.kind !== 'program') {
      return undefined
    }
    const [rules] = call.files ?? []
    if (rules) {
      const { nftables } = JSON.parse(String(rules.content)) as { nftables: { add?: unknown }[] }
      const added = nftables.slice(2).flatMap(({ add }) => (add === undefined ? [] : [add]))
      machine.table = added
      after(added)
    }
    const stdout = JSON.stringify({ nftables: machine.table ?? [] })
    return call.read(
      machine.table
        ? { exitCode: 0, stdout, stderr: '' }
        : { exitCode: 1, stdout: '', stderr: 'No such file or directory' },
    )
  }) as Perform
  const firewall = new HostFirewall({
    ...{ folder: machine.folder, perform, clock, logger: silentLogger },
    bounds: {
      keep: [{ protocol: 'tcp', first: 22, last: 22, sources: [] }],
      ...{ ports: [{ first: 1024, last: 65_535 }], never, sources: undefined, inner: ['docker*'] },
    },
    undoer: () => ({ kind: 'detached', program: 'node', args: [], env: {}, ...DETACHED }),
  })
  return { firewall, machine, table: () => machine.table ?? [] }
}

const DETACHED = { readyFile: '/nowhere', timeoutMs: 1, read: () => undefined }

test('a rule that somebody adds at the moment of a change never counts as put there by the guardian', async t => {
  let times = 1
  const { firewall, table } = aFirewall(t, rules => {
    times -= 1
    if (times === 0) {
      rules.push(BY_HAND)
    }
  })
  const { change } = await firewall.apply({ openings: [OPENING], confirmWithinMs: 600_000 })
  await firewall.confirm(change ?? '')
  assert.ok(!table().includes(BY_HAND))
  assert.deepEqual((await firewall.observe()).drift, [])
  table().push(BY_HAND)
  times = 1
  await firewall.keep()
  assert.ok(!table().some(each => JSON.stringify(each) === JSON.stringify(BY_HAND)))
  assert.equal((await firewall.observe()).repairs, 1)
})

test('a change into which somebody else writes every time is refused, and not in force', async t => {
  const { firewall } = aFirewall(t, rules => {
    if (rules.length > 0) {
      rules.push(BY_HAND)
    }
  })
  await assert.rejects(
    firewall.apply({ openings: [OPENING], confirmWithinMs: 600_000 }),
    /not ours|rule input/,
  )
  assert.equal((await firewall.observe()).pending, null)
  assert.equal((await firewall.observe()).confirmed, null)
})

const OTHER: Opening = { ...OPENING, first: 8002, last: 8002 }
const SSH: Opening = { ...OPENING, first: 22, last: 22 }

/** A machine where the first is confirmed and the second is waiting to be. */
async function confirmedAndPending(t: TestContext, openings: readonly Opening[], pending?: Opening) {
  const { firewall, machine } = aFirewall(t, () => {})
  const { change } = await firewall.apply({ openings: [...openings], confirmWithinMs: 600_000 })
  await firewall.confirm(change ?? '')
  if (pending) {
    await firewall.apply({ openings: [pending], confirmWithinMs: 600_000 })
  }
  return machine
}

test('F01 what the owner of the host has forbidden since it was confirmed is closed at the next start', async t => {
  const machine = await confirmedAndPending(t, [OPENING, OTHER])
  const { firewall } = aFirewall(t, () => {}, { machine, never: [{ first: 8001, last: 8001 }] })
  await firewall.keep()
  const { confirmed, open, drift } = await firewall.observe()
  assert.deepEqual({ confirmed, open, drift }, { confirmed: [OTHER], open: [SSH, OTHER], drift: [] })
})

for (const [what, isRestarted] of [
  ['its host was started anew', true],
  ['its clock went back', false],
] as const) {
  test(`F02 an unconfirmed change is undone by a guardian that starts when ${what}`, async t => {
    const machine = await confirmedAndPending(t, [OPENING], OTHER)
    machine.table = isRestarted ? undefined : machine.table
    const now = () => systemClock.now() - (isRestarted ? 0 : 3_600_000)
    const { firewall } = aFirewall(t, () => {}, { machine, clock: { ...systemClock, now } })
    await firewall.keep()
    const { confirmed, open, pending } = await firewall.observe()
    assert.deepEqual({ confirmed, pending }, { confirmed: [OPENING], pending: null })
    await firewall.keep()
    assert.deepEqual(
      [open, (await firewall.observe()).open],
      [
        [SSH, OPENING],
        [SSH, OPENING],
      ],
    )
  })
}

test('F02 a change that has time left is not undone by a guardian that starts beside the rules', async t => {
  const machine = await confirmedAndPending(t, [OPENING], OTHER)
  const { firewall } = aFirewall(t, () => {}, { machine })
  await firewall.keep()
  assert.deepEqual((await firewall.observe()).open, [SSH, OTHER])
})
