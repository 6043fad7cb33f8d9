import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import type { Trigger } from '#manager/deployments/deployment.ts'
import { readDeployment, readSteps } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { BRANCH_PROTECTED } from '#programs/git-errors.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

const PUSH = { kind: 'webhook', by: 'github' } as const
const PERSON = { kind: 'api', by: 'ada' } as const
const FIRST = 'c'.repeat(40)
const SECOND = '2'.repeat(40)
const OURS = 'e'.repeat(40)
const FILE = 'version: 1\napps: { shop: { target: container, url_file: docs/URL.md } }\n'

let store: TestStore
let agents: FakeAgents
let appId: string
let queue: Queue
let written: Record<string, unknown>[]

beforeEach(async () => {
  store = await openTestStore()
  written = []
  agents = createFakeAgents({
    ...workingAnswers(),
    'repository.write-back': params => {
      written.push(params)
      return { outcome: 'pushed', commit: OURS, parent: FIRST, skips: false, warnings: [] }
    },
  })
  appId = await addApp(store, 'shop')
  queue = openTestQueue(store, agents)
})

afterEach(async () => {
  await queue.close()
  await store.close()
})

test('R10 R12 the last step writes where the app is to be found, and knows its commit again', async () => {
  const deployment = await deploy(FIRST)
  assert.equal(deployment.outcome, 'deployed')
  const [data] = written
  assert.deepEqual([data?.deployment, data?.commit, data?.branch], [deployment.id, FIRST, 'main'])
  const [block] = (data?.blocks ?? []) as { path: string; text: string }[]
  assert.equal(block?.path, 'docs/URL.md')
  assert.match(block?.text ?? '', /http:\/\/shop\.localhost\//)
  assert.equal((await readSteps(store.db, deployment.id)).at(-1)?.name, 'write-back')
  assert.deepEqual((await deploy(OURS)).outcome, 'own-commit')
  assert.equal(written.length, 1)
})

test('without "url_file" nothing is pushed', async () => {
  const deployment = await deploy(FIRST, PERSON, { file: FILE.replace(', url_file: docs/URL.md', '') })
  assert.equal(deployment.outcome, 'deployed')
  assert.deepEqual(written, [])
})

test('a failure to write is a warning on a deployment that succeeded, and the next one tries again', async () => {
  agents.answers['repository.write-back'] = () => {
    throw BRANCH_PROTECTED('main', 'https://git.example/shop.git', 'GH006')
  }
  const deployment = await deploy(FIRST)
  assert.equal(deployment.state, 'succeeded')
  const step = (await readSteps(store.db, deployment.id)).at(-1)
  assert.deepEqual([step?.name, step?.state, step?.error?.code], ['write-back', 'failed', 'BRANCH_PROTECTED'])
  assert.equal(agents.told.filter(each => each === 'repository.write-back').length, 1)
})

test('a person deploys our own commit, and one that says "[skip deploy]", all the same', async () => {
  await deploy(FIRST)
  assert.equal((await deploy(SECOND, PUSH, { skips: true })).outcome, 'skipped-by-message')
  assert.equal((await deploy(SECOND, PERSON, { skips: true })).outcome, 'deployed')
  const atNight = { kind: 'schedule', by: '0 4 * * *' } as const
  assert.equal((await deploy('3'.repeat(40), atNight, { skips: true })).outcome, 'deployed')
  assert.equal((await deploy(OURS, PERSON, { skips: true })).outcome, 'deployed')
})

test('a CI job goes round with our own commit no further, but deploys one that says "[skip deploy]"', async () => {
  const job = { kind: 'ci', by: 'ci shop-ci: repo:acme/shop:ref:refs/heads/main' } as const
  assert.equal((await deploy(FIRST, job)).outcome, 'deployed')
  assert.equal((await deploy(OURS, job)).outcome, 'own-commit')
  assert.equal((await deploy(SECOND, job, { skips: true })).outcome, 'deployed')
})

test('a wish of a person that joins a queued push is no push any more', async () => {
  const blocked = Promise.withResolvers<void>()
  const build = agents.answers['image.build']
  agents.answers['image.build'] = async (params, options) => {
    await blocked.promise
    return await build?.(params, options)
  }
  answerWith(FIRST)
  await requestDeployment(store, { appId, kind: 'deploy', trigger: PERSON })
  queue.wake()
  await systemClock.sleep(50)
  const pushed = await requestDeployment(store, { appId, kind: 'deploy', trigger: PUSH })
  const wanted = await requestDeployment(store, { appId, kind: 'deploy', trigger: PERSON })
  assert.deepEqual([wanted.id, wanted.trigger.kind], [pushed.id, 'api'])
  blocked.resolve()
  answerWith(SECOND, { skips: true })
  while ((await readDeployment(store.db, wanted.id)).finishedAt === undefined) {
    queue.wake()
    await systemClock.sleep(20)
  }
  assert.equal((await readDeployment(store.db, wanted.id)).outcome, 'deployed')
})

test('a commit of ours that is not known any more is told by its content, never by its message alone', async () => {
  const { id } = await deploy(FIRST)
  await store.db.deleteFrom('pushed_commits').execute()
  let changed = 0
  agents.answers['repository.changes'] = params => {
    assert.deepEqual(params.ignore, ['docs/URL.md', '**/URL.md'])
    return { compared: 'yes', changed, watched: changed, examples: [] }
  }
  assert.equal((await deploy(OURS, PUSH, { skips: true, deploy_id: id })).outcome, 'unaffected')
  changed = 1
  assert.equal((await deploy(SECOND, PUSH, { skips: true, deploy_id: id })).outcome, 'deployed')
})

interface Answer {
  readonly skips?: boolean
  readonly deploy_id?: string
  readonly file?: string
}

function answerWith(commit: string, { file = FILE, ...facts }: Answer = {}): void {
  const checkout = workingAnswers()['repository.checkout']
  agents.answers['repository.checkout'] = (params, options) => {
    const given = checkout?.(params, options) as { texts: Record<string, string> }
    const texts = { ...given.texts, 'fairlead.yaml': file }
    return { ...given, commit, skips: false, ...facts, texts, paths: Object.keys(texts) }
  }
}

async function deploy(commit: string, trigger: Trigger = PUSH, answer: Answer = {}) {
  answerWith(commit, answer)
  const { id } = await requestDeployment(store, { appId, kind: 'deploy', trigger })
  queue.wake()
  await queue.idle()
  return await readDeployment(store.db, id)
}
