import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { AuditEntry } from '#lib/audit-chain.ts'
import { silentLogger as logger } from '#lib/logger.ts'
import { AGENT_OFFLINE } from '#manager/agents/errors.ts'
import { type Audit, createAudit, listAudit } from '#manager/audit/audit.ts'
import { openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { type Answers, createFakeAgents } from '#manager/pipeline/test-agents.ts'
import { createSealer } from '#manager/secrets/seal.ts'
import { cancelMemberChange, type MemberChangeRow, requestMemberChange } from './member-changes.ts'
import { createMemberKeeper } from './member-keeper.ts'

const sealer = createSealer(Buffer.alloc(32, 1))
const WHERE = { host: 'box', member: 'k2' }
const AUDIT = {
  request: 'r1',
  who: 'ada@example.org',
  address: '::1',
  action: 'POST',
  target: '/t',
  plan_hash: null,
}
const SIGHT = { status: 'evacuated', here: ['left'], away: ['moved'], isBusy: true }
let store: TestStore
let audit: Audit

before(async () => {
  store = await openTestStore()
  audit = createAudit({ ...store, logger, sealer, config: { data: store.folder } })
  const members = ['k1', 'k2'].map(name => ({ name, status: 'online', message: '', address: '' }))
  await store.db
    .insertInto('hosts')
    .values({
      ...{ name: 'box', role: 'worker', address: '127.0.0.1:1', identity: '{}', created_at: 1 },
      cluster: JSON.stringify({ own: 'k1', members, outOfReach: [] }),
    })
    .execute()
})
afterEach(async () => {
  await store.db.deleteFrom('member_changes').execute()
})
after(async () => {
  audit.close()
  await store.close()
})

test('R71 an evacuation that hangs is ended: its command too, and it is said what was moved and what is left', async () => {
  const agents = createFakeAgents({ 'system.member-state': untilEnded, 'system.member-look': () => SIGHT })
  await using _ = started(agents)
  await asked()
  await until(row => row.command !== null)
  await assert.rejects(asked(), { code: 'MEMBER_BUSY' })
  await cancelMemberChange(store.db, { ...WHERE, by: 'Eve' })
  const { reason, command } = await until(({ state }) => state === 'cancelled')
  assert.match(reason ?? '', /^Ended by Eve\. .*stays there: moved\. Left: left\. Incus lets nobody end/)
  assert.match(reason ?? '', /restore-member k2/)
  assert.equal(command, null)
  assert.deepEqual(await lastLine(), ['ada@example.org', 'failed', 'cancelled', 'Eve'])
  await assert.rejects(cancelMemberChange(store.db, { ...WHERE, by: 'Eve' }), { code: 'MEMBER_NOT_CHANGED' })
  // The host is free for the next one.
  await asked('restore')
})

test('R71 what was ended while no manager was there is ended by the next, unless it was done by then', async () => {
  for (const isDone of [false, true]) {
    const agents = createFakeAgents({ 'system.member-look': () => ({ ...SIGHT, isBusy: false }) })
    const { id } = await asked()
    await store.db.updateTable('member_changes').set({ command: 'c1' }).where('id', '=', id).execute()
    await cancelMemberChange(store.db, { ...WHERE, by: 'Eve' })
    if (isDone) {
      agents.finish('c1', { moved: [] })
    }
    await using _ = started(agents)
    const { state, reason } = await until(row => row.state !== 'under-way')
    assert.deepEqual([state, agents.ended], [isDone ? 'done' : 'cancelled', ['c1']])
    assert.equal(/Incus lets nobody/.test(reason ?? ''), false)
  }
})

test('R71 one whose worker does not answer is ended all the same, and what was moved is said to be unknown', async () => {
  const agents = createFakeAgents({
    'system.member-look': () => {
      throw AGENT_OFFLINE('box', 'nobody there')
    },
  })
  await asked()
  await cancelMemberChange(store.db, { ...WHERE, by: 'Eve' })
  await using _ = started(agents)
  const { reason } = await until(({ state }) => state === 'cancelled')
  assert.match(reason ?? '', /not known: .*nobody there/)
})

test('how a change of a member ended is in the audit log, with whoever asked for it', async () => {
  const failing: Answers = {
    'system.member-state': () => {
      throw new Error('no room')
    },
  }
  for (const [answers, result, state] of [
    [{ 'system.member-state': () => ({ moved: [] }) }, 'done', 'done'],
    [failing, 'failed', 'failed'],
  ] as const) {
    await using _ = started(createFakeAgents(answers))
    await asked()
    await until(row => row.state === state)
    assert.deepEqual(await lastLine(), ['ada@example.org', result, state, null])
  }
})

function started(agents: ReturnType<typeof createFakeAgents>) {
  const keeper = createMemberKeeper({ ...store, logger, agents, audit })
  keeper.start()
  return { [Symbol.asyncDispose]: () => keeper.close() }
}

/** As a worker does it: nothing ends it but whoever told it. */
const untilEnded: Answers[string] = async (_, { signal }) => {
  const over = Promise.withResolvers<never>()
  signal?.addEventListener('abort', () => over.reject(signal.reason), { once: true })
  return await over.promise
}

async function asked(action: 'evacuate' | 'restore' = 'evacuate'): Promise<MemberChangeRow> {
  return await requestMemberChange(store, { ...WHERE, action, by: 'ada', audit: JSON.stringify(AUDIT) })
}

async function until(isSo: (row: MemberChangeRow) => boolean): Promise<MemberChangeRow> {
  const deadline = store.clock.monotonic() + 120_000
  for (;;) {
    const row = await store.db.selectFrom('member_changes').selectAll().executeTakeFirstOrThrow()
    if (isSo(row)) {
      return row
    }
    assert.ok(store.clock.monotonic() < deadline, `still ${row.state}: ${row.reason}`)
    await store.clock.sleep(50)
  }
}

async function lastLine(): Promise<unknown[]> {
  const { who, result, details } = (await listAudit(store.db, { after: 0, limit: 100 })).at(-1) as AuditEntry
  const { state, cancelled_by } = JSON.parse(details ?? '{}') as Record<string, unknown>
  return [who, result, state, cancelled_by]
}
