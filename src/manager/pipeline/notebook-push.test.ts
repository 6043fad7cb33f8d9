import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { notebookApps } from '#deploy-file/notebook-apps.ts'
import { newId } from '#lib/id.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import type { FoundProject } from '#targets/notebook-project.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from './test-agents.ts'
import { openTestQueue } from './test-queue.ts'

const MANY = 200
const KEY = `e-${'1'.repeat(24)}`

let store: TestStore
let agents: FakeAgents
let queue: Queue
let commit: string
/** By slug: what each project is made of. */
let projects: Map<string, string>
let scans: Record<string, unknown>[]

beforeEach(async () => {
  store = await openTestStore()
  commit = 'a'.repeat(40)
  scans = []
  projects = new Map(Array.from({ length: MANY }, (_, index) => [`p${index}`, 'one']))
  const working = workingAnswers()
  agents = createFakeAgents({
    ...working,
    'repository.checkout': asked => ({
      ...{ commit: asked.commit ?? commit, tree: '', subject: 'Change', author: 'Ada' },
      ...{ paths: ['p0/a.ipynb'], texts: {} },
    }),
    'notebook.scan': asked => {
      scans.push(asked)
      return { projects: [...projects].map(found), problems: [], notes: [] }
    },
    'notebook.examine': ({ slug, folder }) => ({
      ...{ slug, title: '', notebooks: [], entry: null, language: 'python', pack: 'pip', versions: {} },
      ...{ settings: {}, warnings: [], problems: [], inputs: [], isAppendable: true, dockerfile: '' },
      environment: { key: KEY, reference: `fairlead/notebooks/env:${KEY}`, present: 'local' },
      content: content(String(slug), projects.get(String(folder)) ?? ''),
    }),
    'notebook.environment': () => ({ reference: 'env', how: 'present' }),
    'notebook.content': ({ slug }) => ({
      ...{
        reference: `fairlead/notebooks/p/${slug}:t-1`,
        imageId: `sha256:${'e'.repeat(64)}`,
        how: 'appended',
      },
    }),
  })
  await addApp(store, 'p0', 'notebook')
  await store.db.updateTable('repositories').set({ auto_apps: 1 }).execute()
  await store.db.updateTable('apps').set({ by_files: 'notebook' }).execute()
  queue = openTestQueue(store, agents)
})

afterEach(async () => {
  await queue.close()
  await store.close()
})

function found([slug, contentHash]: readonly [string, string]): FoundProject {
  return {
    ...{ slug, folder: slug, title: slug, serves: true, notebooks: 1, entry: 'a.ipynb', settings: {} },
    ...{ contentHash, problems: [] },
  }
}

function content(slug: string, made: string) {
  return { key: `t-${made}`, reference: `fairlead/notebooks/p/${slug}:t-${made}`, registry: 'none' }
}

/** A push, as it asks for every app of the repository; gives how the deployments ended that were asked for. */
async function push(next: string): Promise<Record<string, number>> {
  commit = next
  agents.told.length = 0
  scans.length = 0
  const apps = await store.db.selectFrom('apps').select('id').execute()
  const asked: string[] = []
  for (const { id } of apps) {
    const trigger = { kind: 'webhook', by: 'github' } as const
    asked.push((await requestDeployment(store, { appId: id, kind: 'deploy', trigger })).id)
  }
  queue.wake()
  await queue.idle()
  const rows = await store.db
    .selectFrom('deployments')
    .select(['outcome', 'commit'])
    .where('id', 'in', asked)
    .execute()
  assert.ok(rows.every(row => row.commit === next))
  return Object.fromEntries(
    Map.groupBy(rows, row => row.outcome ?? 'none')
      .entries()
      .map(([outcome, all]) => [outcome, all.length]),
  )
}

function told(): Record<string, number> {
  return Object.fromEntries(
    Map.groupBy(agents.told, command => command)
      .entries()
      .map(([command, all]) => [command, all.length]),
  )
}

/** The same app, deployed, for each of the other projects: its rows under other names. */
async function multiply(): Promise<void> {
  const { db } = store
  const app = await db.selectFrom('apps').selectAll().executeTakeFirstOrThrow()
  const deployment = await db.selectFrom('deployments').selectAll().executeTakeFirstOrThrow()
  const release = await db.selectFrom('releases').selectAll().executeTakeFirstOrThrow()
  for (const project of [...projects].map(found).filter(({ slug }) => slug !== 'p0')) {
    const id = newId()
    const own = { id: newId(), app_id: id }
    const fingerprint = notebookApps([project])[0]?.files?.fingerprint
    const content = JSON.stringify({ ...JSON.parse(release.content), fingerprint })
    await db
      .insertInto('apps')
      .values({ ...app, id, name: project.slug, entry: project.slug })
      .execute()
    await db
      .insertInto('deployments')
      .values({ ...deployment, ...own })
      .execute()
    await db
      .insertInto('releases')
      .values({ ...release, id: newId(), app_id: id, deployment_id: own.id, content })
      .execute()
  }
}

test('P7 of 200 projects the one that changed is made, and the push is fetched and scanned once', async t => {
  const all = projects
  projects = new Map([['p0', 'one']])
  assert.deepEqual(await push(commit), { deployed: 1 })
  projects = all
  await multiply()
  projects.set('p7', 'two')
  const started = performance.now()
  assert.deepEqual(await push('b'.repeat(40)), { deployed: 1, unaffected: MANY - 1 })
  t.diagnostic(`${Math.round(performance.now() - started)} ms`)
  const { 'repository.checkout': checkouts, 'notebook.scan': scanned, 'notebook.examine': examined } = told()
  assert.deepEqual([checkouts, scanned, examined], [1, 1, 1])
  assert.deepEqual([told()['notebook.content'], told()['container.start']], [1, 1])
})

test('a folder keeps the slug that it was given, whatever comes later', async () => {
  projects = new Map(['p0', 'p1', 'p2'].map(slug => [slug, 'one']))
  await push(commit)
  await push('b'.repeat(40))
  assert.deepEqual(scans.at(-1)?.given, { p1: 'p1', p2: 'p2' })
})

test('a push that arrives while another one is dealt with is fetched again', async () => {
  projects = new Map([
    ['p0', 'one'],
    ['p1', 'one'],
  ])
  await push(commit)
  const checkout = agents.answers['repository.checkout']
  const [second] = await store.db.selectFrom('apps').select('id').where('name', '=', 'p1').execute()
  agents.answers['repository.checkout'] = async (...asked) => {
    agents.answers['repository.checkout'] = checkout as never
    const old = await checkout?.(...asked)
    commit = 'f'.repeat(40)
    const trigger = { kind: 'webhook', by: 'github' } as const
    await requestDeployment(store, { appId: second?.id ?? '', kind: 'deploy', trigger })
    return old
  }
  const [first] = await store.db.selectFrom('apps').select('id').where('name', '=', 'p0').execute()
  commit = 'b'.repeat(40)
  agents.told.length = 0
  await requestDeployment(store, {
    appId: first?.id ?? '',
    kind: 'deploy',
    trigger: { kind: 'webhook', by: 'github' },
  })
  queue.wake()
  await queue.idle()
  queue.wake()
  await queue.idle()
  const last = await store.db
    .selectFrom('deployments')
    .select('commit')
    .where('app_id', '=', second?.id ?? '')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  assert.equal(last?.commit, 'f'.repeat(40))
})
