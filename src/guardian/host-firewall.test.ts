import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Call, Perform } from '#exec/call.ts'
import { createPerform } from '#exec/perform.ts'
import type { Opening } from '#firewall/opening.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { createRedactor } from '#lib/redact.ts'
import { temporaryFolder } from '#link/test-identities.ts'
import { HostFirewall } from './host-firewall.ts'

const OPENING: Opening = { protocol: 'tcp', first: 8001, last: 8001, sources: [] }
const BY_HAND = { rule: { family: 'inet', table: 'fairlead', chain: 'input', expr: [{ accept: null }] } }

/** A kernel that keeps what it is given; `after` is somebody else who writes right after each change. */
function aFirewall(t: TestContext, after: (table: unknown[]) => void) {
  const folder = temporaryFolder(t)
  let table: unknown[] | undefined
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
      table = nftables.slice(2).flatMap(({ add }) => (add === undefined ? [] : [add]))
      after(table)
    }
    const stdout = JSON.stringify({ nftables: table ?? [] })
    return call.read(
      table
        ? { exitCode: 0, stdout, stderr: '' }
        : { exitCode: 1, stdout: '', stderr: 'No such file or directory' },
    )
  }) as Perform
  const firewall = new HostFirewall({
    ...{ folder, perform, clock: systemClock, logger: silentLogger },
    bounds: {
      keep: [{ protocol: 'tcp', first: 22, last: 22, sources: [] }],
      ...{ ports: [{ first: 1024, last: 65_535 }], never: [], sources: undefined, inner: ['docker*'] },
    },
    undoer: () => ({ kind: 'detached', program: 'node', args: [], env: {}, ...DETACHED }),
  })
  return { firewall, table: () => table ?? [] }
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
