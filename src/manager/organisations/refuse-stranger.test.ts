import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { readDeployment, readSteps } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { PROBLEM_OUTBOX, toldMessages } from '#manager/outbox/test-outbox.ts'
import { planApp } from '#manager/pipeline/plan-app.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from '#manager/pipeline/test-agents.ts'
import { openTestQueue, testParts } from '#manager/pipeline/test-queue.ts'
import { checkRepository } from '#manager/repositories/check-repository.ts'
import { FakeHost } from './test-fake-host.ts'

const WRITES_BACK = 'version: 1\napps: { shop: { target: container, url_file: docs/URL.md } }\n'
const API = { kind: 'api', by: 'test' } as const

let host: FakeHost
let store: TestStore
let agents: FakeAgents
let queue: Queue
let appId: string

beforeEach(async () => {
  host = await new FakeHost().open()
  host.repositories = [{ id: 1, full_name: 'acme/shop' }]
  store = await openTestStore()
  agents = createFakeAgents(workingAnswers())
  queue = openTestQueue(store, agents, { http: host.http })
  appId = await addApp(store, 'shop')
  const organisation = newId()
  const times = { due_at: 8e15, created_at: 1, updated_at: 1 }
  const kind = { git_host: 'github', server: 'github.com', marker: 'topic', discovery: 1 } as const
  await store.db
    .insertInto('organisations')
    .values({
      id: organisation,
      name: 'acme',
      owner: 'acme',
      remote_id: '9919',
      host: 'local',
      ...kind,
      ...times,
      failures: 0,
      version: 1,
    })
    .execute()
  await store.db
    .updateTable('repositories')
    .set({ organisation_id: organisation, remote_id: '1', url: 'https://github.com/acme/shop.git' })
    .execute()
})
afterEach(async () => {
  await queue.close()
  await store.close()
  await host.close()
})

test('R67 a repository that still has its id is deployed, after one question to its Git host', async () => {
  assert.equal((await deploy()).state, 'succeeded')
  assert.deepEqual(host.asked, ['/repos/acme/shop'])
})

test('G09 a repository whose name another one has is never fetched: its app keeps what runs and it stops', async () => {
  assert.equal((await deploy()).state, 'succeeded')
  const told = agents.told.length
  host.repositories = [{ id: 666, full_name: 'acme/shop' }]
  const failed = await deploy()
  assert.deepEqual(
    [failed.state, failed.failedStep, codeOf(failed)],
    ['failed', 'checkout', 'REPOSITORY_LEFT'],
  )
  // It may only have been renamed.
  assert.equal((failed.error as { retry: string }).retry, 'later')
  assert.equal(agents.told.length, told)
  assert.match((await repository()).stopped ?? '', /REPOSITORY_LEFT/)
  const { due_at } = await store.db.selectFrom('organisations').select('due_at').executeTakeFirstOrThrow()
  assert.ok(due_at <= store.clock.now())
  const asked = host.asked.length
  assert.equal(codeOf(await deploy()), 'REPOSITORY_LEFT')
  assert.equal(host.asked.length, asked)
})

test('G09 nor is it fetched to say what it describes, or what a deployment would do', async () => {
  const parts = testParts(store, agents, { http: host.http, outbox: PROBLEM_OUTBOX })
  const ways = [() => planApp(parts, appId), async () => checkRepository(parts, await repository())]
  for (const way of ways) {
    host.repositories = [{ id: 1, full_name: 'acme/shop' }]
    await store.db.updateTable('repositories').set({ stopped: null }).execute()
    await way()
    const told = agents.told.length
    assert.ok(agents.told.includes('repository.checkout'))
    host.repositories = [{ id: 666, full_name: 'acme/shop' }]
    await assert.rejects(way(), { code: 'REPOSITORY_LEFT' })
    assert.match((await repository()).stopped ?? '', /REPOSITORY_LEFT/)
    // Stopped, it is refused without another question.
    const asked = host.asked.length
    await assert.rejects(way(), { code: 'REPOSITORY_LEFT' })
    assert.deepEqual([agents.told.length, host.asked.length], [told, asked])
  }
  // Once for each time that it was stopped.
  const messages = await toldMessages(store.db)
  assert.deepEqual(
    messages.map(({ event, repository: name, error }) => [event, name, error?.code]),
    ways.map(() => ['problem', 'shop', 'REPOSITORY_LEFT']),
  )
})

test('G09 nor is it fetched by a manager that is back and goes on with what another began', async () => {
  const reached = Promise.withResolvers<void>()
  // Before the plan: what is planned is of the repository that was there.
  agents.answers['container.observe'] = (_, { signal }) => {
    reached.resolve()
    return new Promise((_resolve, reject) =>
      signal?.addEventListener('abort', () => reject(signal.reason as Error)),
    )
  }
  const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger: API })
  queue.wake()
  await reached.promise
  await queue.close()
  host.repositories = [{ id: 666, full_name: 'acme/shop' }]
  agents.told.length = 0
  agents.resumed.length = 0
  queue = openTestQueue(store, agents, { http: host.http })
  queue.wake()
  await queue.idle()
  assert.equal(codeOf(await readDeployment(store.db, id)), 'REPOSITORY_LEFT')
  const fetched = agents.told.filter(name => name === 'repository.checkout' || name === 'image.build')
  assert.deepEqual([fetched, agents.resumed], [[], []])
})

for (const command of ['container.verify', 'repository.write-back']) {
  test(`G09 nor is anything written to it by a manager that is back in ${command}: what serves stays`, async () => {
    const { 'repository.checkout': checkout, [command]: works } = agents.answers
    agents.answers['repository.checkout'] = (...told) => {
      const texts = { 'fairlead.yaml': WRITES_BACK, Dockerfile: 'FROM scratch\nEXPOSE 8080\n' }
      return { ...(checkout?.(...told) as object), paths: Object.keys(texts), texts }
    }
    const reached = Promise.withResolvers<string>()
    agents.answers[command] = (_, { id, signal }) => {
      reached.resolve(id)
      const { promise, reject } = Promise.withResolvers<never>()
      signal?.addEventListener('abort', () => reject(signal.reason as Error))
      return promise
    }
    const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger: API })
    queue.wake()
    const commandId = await reached.promise
    await queue.close()
    Object.assign(agents.answers, { [command]: works })
    host.repositories = [{ id: 666, full_name: 'acme/shop' }]
    agents.told.length = 0
    queue = openTestQueue(store, agents, { http: host.http })
    queue.wake()
    await queue.idle()
    const { state, outcome } = await readDeployment(store.db, id)
    assert.deepEqual([state, outcome], ['succeeded', 'deployed'])
    assert.deepEqual(
      agents.told.filter(name => name.startsWith('repository.') && name !== 'repository.forget'),
      [],
    )
    const last = (await readSteps(store.db, id)).at(-1)
    assert.deepEqual(
      [last?.name, last?.state, last?.error?.code],
      ['write-back', 'failed', 'REPOSITORY_LEFT'],
    )
    assert.equal(agents.ended.includes(commandId), command === 'repository.write-back')
    assert.match((await repository()).stopped ?? '', /REPOSITORY_LEFT/)
  })
}

test('an API that cannot be asked fails the deployment for now, and stops nothing', async () => {
  host.refusal = { status: 503, headers: { 'retry-after': '5' } }
  const failed = await deploy()
  assert.deepEqual([failed.state, codeOf(failed)], ['failed', 'HOST_API_FAILED'])
  assert.equal((await repository()).stopped, null)
  host.refusal = undefined
  assert.equal((await deploy()).state, 'succeeded')
})

async function deploy() {
  const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger: API })
  queue.wake()
  await queue.idle()
  return await readDeployment(store.db, id)
}

async function repository() {
  return await store.db.selectFrom('repositories').selectAll().executeTakeFirstOrThrow()
}

function codeOf({ error }: { readonly error?: unknown }): string | undefined {
  return (error as { code: string } | undefined)?.code
}
