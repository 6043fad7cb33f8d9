import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { finishDeployment } from '#manager/deployments/finish.ts'
import { readDeployment } from '#manager/deployments/queries.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import type { EndedPipeline } from '#manager/pipeline/step.ts'
import { lineageOf } from '#manager/triggers/lineage.ts'
import { NOTEBOOK_BROKEN } from '#previews/errors.ts'
import { PUSH_REFUSED } from '#programs/git-errors.ts'
import { notebookLinksPlace } from './links-place.ts'

const FIRST = 'c'.repeat(40)
const SECOND = '2'.repeat(40)
const OURS = 'e'.repeat(40)
const BROKEN = NOTEBOOK_BROKEN('line 3')

let store: TestStore
let appId: string
let repository: string

beforeEach(async () => {
  store = await openTestStore()
  appId = await addApp(store, 'churn', 'notebook')
  repository =
    (await store.db.selectFrom('apps').select('repository_id').executeTakeFirstOrThrow()).repository_id ?? ''
})

afterEach(() => store.close())

test('R10 what a deployment made is told of once, after a while', async () => {
  await ended(worked(FIRST, 't-1'))
  const row = await rowOf()
  assert.deepEqual(
    [row.status, row.url, row.commit, row.tree, row.title, row.folder, row.error],
    ['live', 'https://churn.nb.example.org/', FIRST, 't-1', 'About churn', 'a/churn', null],
  )
  const [entry, ...others] = await open()
  assert.deepEqual([entry?.place, others.length], [`links:${repository}`, 0])
  assert.equal((entry?.next_at ?? 0) - (entry?.created_at ?? 0), 5000)
})

test('R10 R12 a commit that changed nothing of the project changes nothing of what is told', async () => {
  await ended(worked(FIRST, 't-1'))
  await store.db.updateTable('outbox').set({ ended_at: 1 }).execute()
  await ended(worked(SECOND, 't-1', 'nothing-to-do'))
  const { commit, seen_commit: seen } = await rowOf()
  assert.deepEqual([commit, seen, (await open()).length], [FIRST, SECOND, 0])
  await ended(worked(SECOND, 't-2'))
  assert.deepEqual([(await rowOf()).commit, (await open()).length], [SECOND, 1])
})

test('R10 a failure keeps the link and the commit that is served, and says why, also of what cannot be read', async () => {
  const { notebook } = worked(FIRST, 't-1')
  await ended({ state: 'failed', outcome: 'failed', error: BROKEN, notebook })
  const never = await rowOf()
  assert.deepEqual([never.status, never.url, never.commit], ['failed', null, null])
  await ended(worked(FIRST, 't-1'))
  await ended({ state: 'failed', outcome: 'failed', error: BROKEN })
  const { status, url, commit, error } = await rowOf()
  assert.deepEqual([status, url, commit], ['failed', 'https://churn.nb.example.org/', FIRST])
  assert.equal(error, BROKEN.message)
  assert.equal((await open()).length, 1, 'the newest state stands for those before')
  await ended({ ...worked(SECOND, 't-2'), state: 'cancelled' })
  assert.equal((await rowOf()).status, 'failed')
})

test('R10 R11 all links of a repository go to its worker at once, and its commit is known again', async () => {
  await ended(worked(FIRST, 't-1'))
  await ended({ state: 'succeeded', outcome: 'removed' }, 'remove')
  const told: { params: unknown }[] = []
  const attempt = await place(async options => {
    told.push(options)
    return {
      outcome: 'pushed',
      branch: 'main',
      commit: OURS,
      parent: FIRST,
      skips: false,
      files: 1,
      warnings: ['w'],
    }
  }).deliver(await entry())
  assert.equal(attempt.kind, 'sent')
  const { links, branch } = (told[0] ?? { params: {} }).params as {
    links: Record<string, unknown>[]
    branch: string
  }
  assert.deepEqual(
    [branch, links.map(({ slug, status, badge }) => [slug, status, badge])],
    ['main', [['churn', 'removed', 'https://nb.example.org/badge/churn.svg']]],
  )
  assert.equal((await lineageOf(store.db, repository, OURS)).origin, FIRST)
  assert.deepEqual(
    await store.db.selectFrom('notebooks').selectAll().execute(),
    [],
    'what is gone is told once',
  )
})

test('R10 R14 a release that is brought back is told with what it serves', async () => {
  await ended(worked(FIRST, 't-1'))
  await ended(worked(SECOND, 't-2'))
  const { notebook } = worked(FIRST, 't-1')
  const released = { title: 'As it was', entry: 'a.ipynb', language: 'r', content: 't-1' }
  await ended({
    ...worked(FIRST, 't-1', 'rolled-back'),
    notebook: notebook && { ...notebook, examined: undefined, released, image: 'r.example/p@sha256:1' },
  })
  const { status, commit, tree, title, entry, image, notebooks, seen_commit: seen } = await rowOf()
  assert.deepEqual(
    [status, commit, tree, title, entry, image],
    ['live', FIRST, 't-1', 'As it was', 'a.ipynb', 'r.example/p@sha256:1'],
  )
  assert.deepEqual([notebooks, seen], ['["a.ipynb"]', SECOND], 'what is shown is the newest')
})

test('R10 what is opened without TLS is linked to without', async () => {
  const { notebook, ...end } = worked(FIRST, 't-1')
  await ended({ ...end, notebook: notebook && { ...notebook, domains: ['churn.localhost'] } })
  assert.equal((await rowOf()).url, 'http://churn.localhost/')
})

test('R10 a notebook that shares its host is linked to with its path', async () => {
  const { notebook, ...end } = worked(FIRST, 't-1')
  const at = async (...domains: string[]) => {
    await ended({ ...end, notebook: notebook && { ...notebook, domains } })
    return (await rowOf()).url
  }
  assert.equal(await at('nb.example.org/nb/churn/'), 'https://nb.example.org/nb/churn/')
  assert.equal(await at('nb.localhost/nb/churn/'), 'http://nb.localhost/nb/churn/')
})

test('R10 what is removed while links are written is told with the next ones', async () => {
  await ended(worked(FIRST, 't-1'))
  const told: unknown[] = []
  const written = { outcome: 'unchanged', branch: 'main', commit: OURS, parent: null, skips: false, files: 0 }
  const tell = async ({ params }: { params: unknown }) => {
    told.push(...(params as { links: { status: string }[] }).links.map(({ status }) => status))
    if (told.length === 1) {
      await ended({ state: 'succeeded', outcome: 'removed' }, 'remove')
    }
    return { ...written, warnings: [] }
  }
  await place(tell).deliver(await entry())
  assert.equal((await rowOf()).status, 'removed')
  await place(tell).deliver(await entry())
  assert.deepEqual(told, ['live', 'removed'])
  assert.deepEqual(await store.db.selectFrom('notebooks').selectAll().execute(), [])
})

test('R10 a credential that may only read is the problem of the links, once', async () => {
  await ended(worked(FIRST, 't-1'))
  const refusing = place(async () => {
    throw PUSH_REFUSED('https://git.example/a.git')
  })
  await assert.rejects(refusing.deliver(await entry()), { code: 'PUSH_REFUSED', retry: 'never' })
  const attempt = { kind: 'refused', error: PUSH_REFUSED('https://git.example/a.git') } as const
  assert.equal((await refusing.noteProblem(store, attempt))?.code, 'PUSH_REFUSED')
  assert.equal(await refusing.noteProblem(store, attempt), undefined)
  const links = await store.db.selectFrom('notebook_links').selectAll().executeTakeFirstOrThrow()
  assert.match(links.problem ?? '', /PUSH_REFUSED/)
  await refusing.noteSent(store.db)
  const after = await store.db.selectFrom('notebook_links').selectAll().executeTakeFirstOrThrow()
  assert.equal(after.problem, null)
})

function worked(commit: string, tree: string, outcome = 'deployed'): EndedPipeline {
  return {
    state: 'succeeded',
    outcome,
    notebook: {
      folder: 'a/churn',
      mode: 'lab',
      commit,
      image: undefined,
      domains: ['churn.nb.example.org'],
      examined: {
        ...{ title: 'About churn', entry: 'a.ipynb', notebooks: ['a.ipynb'], language: 'python' },
        content: { key: tree },
      },
    },
  }
}

async function ended(end: EndedPipeline, kind: 'deploy' | 'remove' = 'deploy'): Promise<void> {
  const id = newId()
  const row = {
    id,
    app_id: appId,
    kind,
    state: 'running',
    trigger: '{"kind":"api","by":"ada"}',
    created_at: 1,
  } as const
  await store.db
    .insertInto('deployments')
    .values({ ...row, cancel_requested: 0 })
    .execute()
  await finishDeployment(store, await readDeployment(store.db, id), end)
}

async function rowOf() {
  return await store.db.selectFrom('notebooks').selectAll().executeTakeFirstOrThrow()
}

async function open() {
  return await store.db.selectFrom('outbox').selectAll().where('ended_at', 'is', null).execute()
}

async function entry() {
  const [first] = await open()
  assert.ok(first)
  return first
}

function place(tell: (options: { params: unknown }) => Promise<unknown>) {
  return notebookLinksPlace(
    {
      db: store.db,
      clock: store.clock,
      sealer: SEALER,
      publicUrl: 'https://nb.example.org',
      agents: { tell: async (_, options) => await tell(options as { params: unknown }) },
    },
    repository,
  )
}

const SEALER = { seal: String, open: String } as unknown as Parameters<typeof notebookLinksPlace>[0]['sealer']
