import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { Trigger } from '#manager/deployments/deployment.ts'
import { listHistory, readDeployment } from '#manager/deployments/queries.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

const PUSH: Trigger = { kind: 'webhook', by: 'github' }
const TEXTS = {
  Dockerfile: 'FROM scratch\nEXPOSE 8080\n',
  'fairlead.yaml': 'version: 1\napps:\n  shop: { target: container, watch: [shop] }\n',
}
const BOTH = `${TEXTS['fairlead.yaml']}  blog: { target: container }\n`

let store: TestStore
let agents: FakeAgents
let appId: string
let queue: Queue
/** What the tip of the branch is, and what its message asks for. */
let tip: { readonly commit: string; readonly actions: readonly string[]; readonly file?: string }

beforeEach(async () => {
  store = await openTestStore()
  const working = workingAnswers()
  agents = createFakeAgents({
    ...working,
    'repository.checkout': (...asked) => ({
      ...(working['repository.checkout']?.(...asked) as object),
      ...{ commit: tip.commit, actions: tip.actions, paths: Object.keys(TEXTS) },
      texts: { ...TEXTS, 'fairlead.yaml': tip.file ?? TEXTS['fairlead.yaml'] },
    }),
    'repository.changes': () => ({ compared: 'yes', changed: 1, watched: 0, examples: [] }),
  })
  appId = await addApp(store, 'shop')
  await store.db.updateTable('repositories').set({ commit_actions: 1, auto_apps: 1 }).execute()
  await store.db.updateTable('apps').set({ by_files: 'stack' }).execute()
  queue = openTestQueue(store, agents)
  assert.equal((await push('a')).outcome, 'deployed')
  agents.told.length = 0
})

afterEach(async () => {
  await queue.close()
  await store.close()
})

async function push(letter: string, actions: readonly string[] = [], { trigger = PUSH, file = '' } = {}) {
  tip = { commit: letter.repeat(40), actions, ...(file === '' ? {} : { file }) }
  const requested = await requestDeployment(store, { appId, kind: 'deploy', trigger })
  queue.wake()
  await queue.idle()
  return await readDeployment(store.db, requested.id)
}

async function appNames(): Promise<string[]> {
  const rows = await store.db.selectFrom('apps').select('name').orderBy('name').execute()
  return rows.map(({ name }) => name)
}

test('R55 R56 a dry run keeps the plan, does none of it, and the next push begins from what runs', async () => {
  const dry = await push('b', ['dry-run', 'do-all'])
  assert.deepEqual([dry.state, dry.outcome, dry.commit], ['succeeded', 'dry-run', 'b'.repeat(40)])
  assert.equal((dry.plan as { build: unknown[] }).build.length, 1)
  assert.deepEqual(
    agents.told.filter(command => /build|start|point|push/.test(command)),
    [],
  )
  assert.equal((await push('c', ['deploy-shop'])).outcome, 'deployed')
})

test('R55 a dry run creates no apps, and claims nothing, but keeps the plans of the apps that it would create', async () => {
  const broken = `${BOTH}  broken: { target: container, environment: { A: $MISSING } }\n`
  const dry = await push('b', ['dry-run', 'do-all'], { file: broken })
  assert.deepEqual([dry.state, dry.outcome], ['succeeded', 'dry-run'])
  assert.deepEqual(await appNames(), ['shop'])
  const step = await store.db
    .selectFrom('steps')
    .select('outcome')
    .where('deployment_id', '=', dry.id)
    .where('name', '=', 'read')
    .executeTakeFirstOrThrow()
  const { new_apps: plans } = JSON.parse(step.outcome ?? '').data
  assert.deepEqual(Object.keys(plans), ['blog', 'broken'])
  assert.ok(plans.blog.plan.changes.some(({ kind }: { kind: string }) => kind === 'add'))
  assert.equal(plans.broken.error.code, 'APP_SECRET_MISSING')
})

test('R55 a message may ask for the images alone', async () => {
  assert.equal((await push('b', ['build-all'])).outcome, 'built')
  assert.ok(agents.told.includes('image.build'))
  assert.ok(!agents.told.includes('container.start'))
  assert.equal((await store.db.selectFrom('releases').selectAll().execute()).length, 1)
})

test('R55 images that a message asks for alone have their names on the host, and are pushed nowhere', async () => {
  agents.answers['image.published'] = () => ({ local: null, references: [], bytes: null })
  const published: unknown[] = []
  agents.answers['image.publish'] = params => {
    published.push(params)
    return { imageId: `sha256:${'e'.repeat(64)}`, digests: {}, pushed: [] }
  }
  const file = "version: 1\napps:\n  shop: { target: image, version: '1.2.0', push: [r.example/shop] }\n"
  assert.equal((await push('b', ['build-shop'], { file })).outcome, 'built')
  assert.deepEqual(
    published.map(data => [(data as { name: string }).name, (data as { references: [] }).references]),
    [['shop:1.2.0', []]],
  )
})

test('R55 what a message asks for counts before changed files: more is deployed, or less', async () => {
  assert.equal((await push('b')).outcome, 'unaffected')
  assert.equal((await push('c', ['deploy-shop'])).outcome, 'deployed')
  assert.equal((await push('d', ['deploy-blog'])).outcome, 'not-asked')
})

test('R55 what a message removed stays away until its files say something else, or a message asks for it', async () => {
  const blogId = await addApp(store, 'blog')
  const [shop] = await store.db.selectFrom('apps').select('repository_id').where('id', '=', appId).execute()
  await store.db
    .updateTable('apps')
    .set({ repository_id: shop?.repository_id ?? null })
    .where('id', '=', blogId)
    .execute()
  assert.equal((await push('b', ['remove-shop'], { file: BOTH })).outcome, 'files-gone')
  assert.deepEqual(await appNames(), ['blog'])
  const [removal] = await listHistory(store.db, { limit: 1 })
  assert.deepEqual([removal?.kind, removal?.state], ['remove', 'succeeded'])
  appId = blogId
  await push('c', [], { file: BOTH })
  assert.deepEqual(await appNames(), ['blog'])
  await push('d', ['deploy-shop'], { file: BOTH })
  assert.deepEqual(await appNames(), ['blog', 'shop'])
  await push('e', [], { file: BOTH })
  assert.deepEqual(await appNames(), ['blog', 'shop'])
})

test('a message removes no app that a person has made, and none whose deployments need an approval', async () => {
  await store.db.updateTable('apps').set({ approval: 1 }).execute()
  assert.equal((await push('b', ['remove-all'])).error?.code, 'APP_REMOVAL_GUARDED')
  await store.db.updateTable('apps').set({ approval: null, by_files: null }).execute()
  await push('c', ['remove-all'])
  assert.deepEqual(await appNames(), ['shop'])
})

for (const [what, columns, dry, all] of [
  ['a public repository', { is_private: 0 }, 'unaffected', 'unaffected'],
  ['one of which nobody knows', { is_private: null }, 'unaffected', 'unaffected'],
  ['a private one', { is_private: 1 }, 'dry-run', 'deployed'],
  ['a public one that was switched on', { is_private: 0, commit_actions: 1 }, 'dry-run', 'deployed'],
  ['a private one that was switched off', { is_private: 1, commit_actions: 0 }, 'unaffected', 'unaffected'],
] as const) {
  test(`R55 R56 of ${what} a push with words for all deploys ${all === 'deployed' ? 'what they ask for' : 'nothing more'}`, async () => {
    await store.db
      .updateTable('repositories')
      .set({ commit_actions: null, ...columns })
      .execute()
    assert.equal((await push('b', ['do-all', 'dry-run'])).outcome, dry)
    assert.equal((await push('c', ['do-all'])).outcome, all)
    const removal = await push('d', ['remove-all'])
    assert.equal(removal.outcome, all === 'deployed' ? 'files-gone' : 'unaffected')
  })
}

test('where messages may not ask, and where a person asks, they count for nothing', async () => {
  const byPerson = { kind: 'api', by: 'ada' } as const
  assert.equal((await push('b', ['dry-run'], { trigger: byPerson })).outcome, 'deployed')
  await store.db.updateTable('repositories').set({ commit_actions: 0 }).execute()
  assert.equal((await push('c', ['remove-all', 'dry-run'])).outcome, 'unaffected')
})
