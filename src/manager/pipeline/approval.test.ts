import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { silentLogger } from '#lib/logger.ts'
import { TestClock } from '#lib/test-clock.ts'
import { approveDeployment } from '#manager/deployments/approval.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { DeploymentLogs } from '#manager/deployments/logs.ts'
import { readDeployment, readSteps } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { cancelDeployment, requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

const api = { kind: 'api', by: 'test' } as const
const HOUR = 3_600_000

let clock: TestClock
let store: TestStore
let agents: FakeAgents
let appId: string
let queue: Queue
let logs: DeploymentLogs

beforeEach(async () => {
  clock = new TestClock(Date.UTC(2026, 0, 1))
  store = { ...(await openTestStore()), clock }
  agents = createFakeAgents(workingAnswers())
  appId = await addApp(store, 'shop')
  logs = new DeploymentLogs(`${store.folder}/logs`)
  queue = openTestQueue(store, agents, { logs })
  await requireApproval(1)
})

afterEach(async () => {
  await queue.close()
  await store.close()
})

async function requireApproval(approval: 1 | null): Promise<void> {
  await store.db.updateTable('apps').set({ approval }).where('id', '=', appId).execute()
}

async function settled(id: string): Promise<Deployment> {
  queue.wake()
  await queue.idle()
  return await readDeployment(store.db, id)
}

async function deploy(request: Partial<Parameters<typeof requestDeployment>[1]> = {}): Promise<Deployment> {
  const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger: api, ...request })
  return await settled(id)
}

async function approve({ id, planHash = '' }: Deployment, hash = planHash): Promise<Deployment> {
  return await approveDeployment({ ...store, logs, logger: silentLogger }, { id, hash, by: 'ada' })
}

/** What the worker would be asked to do is another thing from now on. */
function moveTheWorld(): void {
  agents.answers['container.observe'] = () => ({
    containers: [
      {
        ...{ id: 'a'.repeat(64), name: 'shop-old', deployment: '0199', commit: 'b'.repeat(40) },
        ...{ configHash: '0'.repeat(64), state: 'running', health: 'none', exitCode: 0, restarts: 0 },
        ...{
          image: 'x',
          imageId: `sha256:${'0'.repeat(64)}`,
          startedAt: '2026-01-01T00:00:00Z',
          serving: true,
        },
      },
    ],
  })
}

async function logOf(id: string): Promise<string> {
  const lines: string[] = []
  for await (const { text } of logs.read(id, 0)) {
    lines.push(text)
  }
  return lines.join('\n')
}

const CHANGES = ['image.build', 'container.start', 'route.point', 'container.remove']

test('a deployment of an app that needs approval stops after its plan, visible with its hash, and holds nothing', async () => {
  const waiting = await deploy()
  assert.equal(waiting.state, 'waiting')
  assert.match(waiting.planHash ?? '', /^[0-9a-f]{64}$/)
  assert.ok(waiting.plan && waiting.waitingSince)
  assert.deepEqual(
    agents.told.filter(command => CHANGES.includes(command)),
    [],
  )
  assert.match(await logOf(waiting.id), /waits for an approval of plan/)
  const other = await addApp(store, 'blog')
  const second = await requestDeployment(store, { appId: other, kind: 'deploy', trigger: api })
  const third = await addApp(store, 'wiki')
  const last = await requestDeployment(store, { appId: third, kind: 'deploy', trigger: api })
  // Two slots, and both are free.
  assert.equal((await settled(second.id)).state, 'succeeded')
  assert.equal((await settled(last.id)).state, 'succeeded')
})

test('an approved plan is carried out as it was read, and who approved it is kept', async () => {
  const waiting = await deploy()
  await approve(waiting)
  const done = await settled(waiting.id)
  assert.deepEqual([done.error, done.state, done.outcome], [undefined, 'succeeded', 'deployed'])
  assert.deepEqual([done.approved?.by, done.approved?.hash], ['ada', waiting.planHash])
  assert.equal(done.planHash, waiting.planHash)
  assert.match(await logOf(waiting.id), /was approved by ada/)
})

test('an approval of another plan is refused, one given twice is one, one of nothing that waits is refused', async () => {
  const waiting = await deploy()
  await assert.rejects(approve(waiting, 'f'.repeat(64)), { code: 'PLAN_IS_ANOTHER' })
  await approve(waiting)
  await approve(waiting)
  await assert.rejects(approve(waiting, 'f'.repeat(64)), { code: 'PLAN_IS_ANOTHER' })
  const done = await settled(waiting.id)
  assert.equal(done.state, 'succeeded')
  assert.equal((await approve(done)).state, 'succeeded')
  await assert.rejects(approve(done, 'f'.repeat(64)), { code: 'NOT_WAITING' })
})

test('what moved between plan and approval is not applied: it waits again and says in words what changed', async () => {
  const waiting = await deploy()
  moveTheWorld()
  await approve(waiting)
  const again = await settled(waiting.id)
  assert.equal(again.state, 'waiting')
  assert.notEqual(again.planHash, waiting.planHash)
  assert.equal(again.approved, undefined)
  assert.deepEqual(
    agents.told.filter(command => CHANGES.includes(command)),
    [],
  )
  const outcome = (await readSteps(store.db, waiting.id)).find(({ name }) => name === 'plan')?.outcome
  assert.match(JSON.stringify(outcome), /recreate shop-old/)
  assert.match(await logOf(waiting.id), /not as it was approved: new: recreate shop-old/)
  await approve(again)
  assert.equal((await settled(waiting.id)).state, 'succeeded')
})

test('after the approval it looks afresh, at the commit that was approved and not at the tip', async () => {
  const asked: unknown[] = []
  const checkout = agents.answers['repository.checkout']
  agents.answers['repository.checkout'] = (params, options) => {
    asked.push(params.commit)
    return checkout?.(params, options)
  }
  const waiting = await deploy()
  await approve(waiting)
  await settled(waiting.id)
  assert.deepEqual(asked, [undefined, 'c'.repeat(40)])
})

test('the time in which it waits does not count against its deadline', async () => {
  const waiting = await deploy()
  const left = (waiting.deadlineAt ?? 0) - clock.now()
  await clock.pass(100 * HOUR, async () => undefined)
  await approve(waiting)
  const done = await settled(waiting.id)
  assert.equal(done.state, 'succeeded')
  assert.equal(done.waitedMs, 100 * HOUR)
  assert.equal((done.deadlineAt ?? 0) - clock.now(), left)
})

test('a newer request supersedes a deployment that waits, also an approved one that has not begun', async () => {
  const first = await deploy()
  const second = await deploy()
  assert.equal((await readDeployment(store.db, first.id)).state, 'superseded')
  assert.deepEqual([second.state, second.planHash], ['waiting', first.planHash])
  await approve(second)
  const third = await deploy()
  assert.equal((await readDeployment(store.db, second.id)).state, 'superseded')
  assert.equal(third.state, 'waiting')
  await assert.rejects(approve(second, 'f'.repeat(64)), { code: 'NOT_WAITING' })
})

test('a plan is rejected by a cancellation, and can be approved no more', async () => {
  const waiting = await deploy()
  assert.equal((await cancelDeployment(store, waiting.id)).state, 'cancelled')
  await assert.rejects(approve(waiting), { code: 'NOT_WAITING' })
})

test('a manager that restarts while a deployment waits, and just after it was approved, loses nothing', async () => {
  const waiting = await deploy()
  await queue.close()
  queue = openTestQueue(store, agents, { logs })
  assert.equal((await settled(waiting.id)).state, 'waiting')
  await queue.close()
  await approve(waiting)
  queue = openTestQueue(store, agents, { logs })
  assert.equal((await settled(waiting.id)).state, 'succeeded')
})

test('a manager that dies between plan and waiting waits after its restart', async () => {
  const waiting = await deploy()
  await store.db
    .updateTable('deployments')
    .set({ state: 'running', waiting_since: null })
    .where('id', '=', waiting.id)
    .execute()
  const told = agents.told.length
  assert.equal((await settled(waiting.id)).state, 'waiting')
  assert.equal(agents.told.length, told)
})

test('the deploy file can ask for an approval, and cannot refuse one', async () => {
  const checkout = agents.answers['repository.checkout']
  const withFile = (line: string) => {
    agents.answers['repository.checkout'] = (params, options) => {
      const found = checkout?.(params, options) as { texts: object }
      const file = `version: 1\napps:\n  shop:\n    target: container\n${line}`
      return {
        ...found,
        paths: ['Dockerfile', 'fairlead.yaml'],
        texts: { ...found.texts, 'fairlead.yaml': file },
      }
    }
  }
  withFile('')
  const guarded = await deploy()
  assert.deepEqual([guarded.error, guarded.state], [undefined, 'waiting'])
  await requireApproval(null)
  withFile('    approval: required\n')
  assert.equal((await deploy()).state, 'waiting')
  withFile('    approval: never\n')
  assert.equal((await deploy()).error?.code, 'DEPLOY_FILE_INVALID')
  withFile('')
  assert.equal((await deploy()).state, 'succeeded')
})

test('a rollback, a repair and a removal wait for nobody; a repair leaves what waits alone', async () => {
  await requireApproval(null)
  const released = await deploy()
  await requireApproval(1)
  const waiting = await deploy()
  assert.equal(waiting.state, 'waiting')
  const release = released.releaseId ?? ''
  const imageId = `sha256:${'e'.repeat(64)}`
  agents.answers['image.find'] = () => ({
    images: [{ key: 'shop', localName: imageId, isNamed: true, registry: 'none' }],
  })
  const repair = await deploy({ trigger: { kind: 'poll', by: 'drift' }, release })
  assert.deepEqual([repair.error, repair.state], [undefined, 'succeeded'])
  assert.equal((await readDeployment(store.db, waiting.id)).state, 'waiting')
  const rollback = await deploy({ kind: 'rollback', trigger: { kind: 'rollback', by: 'ada' }, release })
  assert.equal(rollback.state, 'succeeded')
  assert.equal((await readDeployment(store.db, waiting.id)).state, 'superseded')
  const removal = await deploy({ kind: 'remove' })
  assert.equal(removal.state, 'succeeded')
})

test('a push waits behind a commit that was named and waits for an approval, and comes after it', async () => {
  const named = await deploy({ commit: 'c'.repeat(40) })
  assert.equal(named.state, 'waiting')
  const push = await deploy({ trigger: { kind: 'webhook', by: 'github' } })
  assert.deepEqual([push.state, (await readDeployment(store.db, named.id)).state], ['queued', 'waiting'])
  await cancelDeployment(store, named.id)
  assert.equal((await settled(push.id)).state, 'waiting')
})

test('what was queued or cancelled while the plan was made decides as if it had come later', async () => {
  const observe = agents.answers['container.observe']
  const meanwhile = async (work: (id: string) => Promise<unknown>) => {
    const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger: api })
    agents.answers['container.observe'] = async (params, options) => {
      agents.answers['container.observe'] = observe ?? (() => ({}))
      await work(id)
      return observe?.(params, options)
    }
    return (await settled(id)).state
  }
  const behind = { appId, kind: 'deploy', trigger: { kind: 'webhook', by: 'github' } } as const
  assert.equal(await meanwhile(() => requestDeployment(store, behind)), 'superseded')
  // The end of what may be a burst of requests.
  await clock.pass(1000, () => queue.idle())
  assert.equal(await meanwhile(id => cancelDeployment(store, id)), 'cancelled')
})
