import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { notebookApps } from '#deploy-file/notebook-apps.ts'
import { newId } from '#lib/id.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { cancelDeployment, requestDeployment } from '#manager/deployments/request.ts'
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
/** By slug: what the scan says otherwise. */
let otherwise: Record<string, Partial<FoundProject>>

beforeEach(async () => {
  store = await openTestStore()
  commit = 'a'.repeat(40)
  scans = []
  otherwise = {}
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
    ...otherwise[slug],
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
    const fingerprint = notebookApps([project]).apps[0]?.files?.fingerprint
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

test('what a push changed goes before all that it did not', async () => {
  const all = [...projects].slice(0, 12)
  projects = new Map([['p0', 'one']])
  await push(commit)
  projects = new Map(all)
  await multiply()
  projects.set('p11', 'two')
  assert.deepEqual(await push('b'.repeat(40)), { deployed: 1, unaffected: 11 })
  const rows = await store.db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select('apps.name')
    .where('commit', '=', 'b'.repeat(40))
    .orderBy('started_at')
    .orderBy('first', 'desc')
    .execute()
  assert.ok(rows.findIndex(({ name }) => name === 'p11') < 4, JSON.stringify(rows))
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

const WRONG = [{ path: 'mode', message: 'is "lap"', file: 'p1/nb.yaml', line: 2 }]

test('R10 one wrong nb.yaml keeps no other project, its app goes on, and why it failed is told', async () => {
  projects = new Map(['p0', 'p1'].map(slug => [slug, 'one']))
  await push(commit)
  projects.set('p0', 'two')
  projects.set('p9', 'one')
  const broken = { title: 'p', language: 'python', notebooks: [] }
  otherwise = {
    p1: { wrong: WRONG, shown: broken },
    p9: { wrong: [{ ...WRONG[0], path: 'mode', message: 'is "x"', file: 'p9/nb.yaml' }], shown: broken },
  }
  assert.deepEqual(await push('b'.repeat(40)), { deployed: 1, failed: 1 })
  const apps = await store.db.selectFrom('apps').select('name').orderBy('name').execute()
  assert.deepEqual(
    apps.map(({ name }) => name),
    ['p0', 'p1'],
  )
  const rows = await rowsBySlug()
  assert.deepEqual(
    [rows.p0?.status, rows.p1?.status, rows.p9?.status, rows.p1?.commit],
    ['live', 'failed', 'failed', 'a'.repeat(40)],
  )
  assert.match(rows.p1?.error ?? '', /is "lap"/)
  assert.match(rows.p9?.error ?? '', /is "x" \(nb\.yaml:2\)$|nb\.yaml.*is "x"/)
  otherwise = {}
  projects.delete('p9')
  assert.deepEqual(await push('c'.repeat(40)), { unaffected: 1, deployed: 1 })
  const now = await rowsBySlug()
  assert.deepEqual([now.p1?.status, now.p1?.error, now.p9?.status], ['live', null, 'removed'])
})

test('R11 a new project has a page before its image is built, is told of when that has ended, and forgotten when it never is', async () => {
  projects = new Map([['p0', 'one']])
  const { 'notebook.environment': make, 'notebook.examine': examine } = agents.answers
  agents.answers['notebook.examine'] = async (...asked) => ({
    ...((await examine?.(...asked)) as object),
    ...{ title: 'About', entry: 'a.ipynb', notebooks: ['a.ipynb'] },
  })
  let meanwhile: unknown[] = []
  let written = -1
  const look = async (...asked: Parameters<NonNullable<typeof make>>) => {
    const { p0: row } = await rowsBySlug()
    meanwhile = [row?.status, row?.title, row?.entry, row?.notebooks, row?.url, row?.seen_commit]
    const open = await store.db.selectFrom('outbox').select('place').execute()
    written = open.filter(({ place }) => place.startsWith('links:')).length
    return (await make?.(...asked)) ?? {}
  }
  const page = ['About', 'a.ipynb', '["a.ipynb"]', null]
  agents.answers['notebook.environment'] = async (...asked) => {
    await look(...asked)
    const { id } = await store.db.selectFrom('deployments').select('id').executeTakeFirstOrThrow()
    await cancelDeployment(store, id)
    queue.abort(id)
    asked[1].signal?.throwIfAborted()
    return {}
  }
  assert.deepEqual(await push(commit), { cancelled: 1 })
  assert.deepEqual([meanwhile, written], [['building', ...page, commit], 0])
  assert.deepEqual(await rowsBySlug(), {})
  agents.answers['notebook.environment'] = look
  await push('b'.repeat(40))
  assert.deepEqual((await rowsBySlug()).p0?.status, 'live')
  projects.set('p0', 'two')
  await push('c'.repeat(40))
  const link = (await rowsBySlug()).p0?.url
  assert.ok(link)
  assert.deepEqual(meanwhile, ['live', ...page.slice(0, 3), link, 'c'.repeat(40)], 'its page is the newest')
})

test('R11 projects without a server have a page, and one whose server goes keeps its own', async () => {
  projects = new Map(['p0', 'p1', 'p2'].map(slug => [slug, 'one']))
  const shown = { title: 'Shown', language: 'r', notebooks: ['a.ipynb'] }
  otherwise = { p2: { serves: false, shown } }
  await push(commit)
  const first = await rowsBySlug()
  assert.deepEqual(
    [first.p2?.status, first.p2?.shown, first.p2?.title, first.p2?.notebooks, first.p2?.commit],
    ['preview', 'guessed', 'Shown', '["a.ipynb"]', commit],
  )
  otherwise.p0 = { settings: { mode: 'static' }, shown }
  await push('b'.repeat(40))
  queue.wake()
  await queue.idle()
  const rows = await rowsBySlug()
  assert.deepEqual([rows.p0?.status, rows.p0?.shown, rows.p0?.url], ['preview', 'static', null])
  assert.deepEqual([rows.p0?.notebooks, rows.p0?.seen_commit], ['["a.ipynb"]', 'b'.repeat(40)])
  assert.deepEqual(
    [rows.p2?.commit, rows.p2?.seen_commit],
    ['a'.repeat(40), 'b'.repeat(40)],
    'nothing of it changed',
  )
  otherwise = {}
  await push('c'.repeat(40))
  await queue.idle()
  const served = await rowsBySlug()
  assert.deepEqual([served.p0?.status, served.p0?.shown, served.p2?.status], ['live', null, 'live'])
})

async function rowsBySlug() {
  const rows = await store.db.selectFrom('notebooks').selectAll().execute()
  return Object.fromEntries(rows.map(row => [row.app, row]))
}
