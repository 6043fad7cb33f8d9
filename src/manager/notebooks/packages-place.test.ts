import { deepEqual, equal } from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { finishDeployment } from '#manager/deployments/finish.ts'
import { readDeployment } from '#manager/deployments/queries.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { notebookPackagesPlace } from './packages-place.ts'

const PACKAGES = { tool: 'pip', readAt: 1, lines: ['a==1'], isCut: false }

let store: TestStore
beforeEach(async () => {
  store = await openTestStore()
})
afterEach(() => store.close())

test('a new environment is asked once its server is there: by the outbox, until it answers, and never again', async () => {
  const app = await addApp(store, 'churn', 'notebook')
  await released(app, 'e-1')
  deepEqual(await open(), [`packages:${app}`])
  let answer: object = { packages: null, runs: false }
  const asked: unknown[] = []
  const place = notebookPackagesPlace(
    parts(asked, () => answer),
    app,
  )
  equal((await place.deliver(ROW)).kind, 'later')
  deepEqual(asked, [{ app: 'churn', environment: 'e-1', pack: 'pip' }])
  answer = { packages: PACKAGES, runs: true }
  equal((await place.deliver(ROW)).kind, 'sent')
  const row = await store.db.selectFrom('notebook_packages').selectAll().executeTakeFirstOrThrow()
  deepEqual([row.app_id, row.environment, JSON.parse(row.packages)], [app, 'e-1', PACKAGES])

  await store.db.updateTable('outbox').set({ ended_at: 1 }).execute()
  await released(app, 'e-1')
  deepEqual(await open(), [], 'a change of a notebook asks nobody')
})

test('what one project knows of an image another one of the same needs takes over, and the base image is not asked', async () => {
  const [one, other] = [await addApp(store, 'one', 'notebook'), await addApp(store, 'other', 'notebook')]
  await released(one, 'e-1')
  await notebookPackagesPlace(
    parts([], () => ({ packages: PACKAGES, runs: true })),
    one,
  ).deliver(ROW)
  await store.db.updateTable('outbox').set({ ended_at: 1 }).execute()
  await released(other, 'e-1')
  await released(other, 'b-1')
  deepEqual(await open(), [])
  const rows = await store.db.selectFrom('notebook_packages').select('app_id').execute()
  deepEqual(rows.map(row => row.app_id).sort(), [one, other].sort())
})

test('only the packages of the newest environments are kept, and none of an app that is gone', async () => {
  const app = await addApp(store, 'churn', 'notebook')
  const place = notebookPackagesPlace(
    parts([], () => ({ packages: PACKAGES, runs: true })),
    app,
  )
  for (let at = 1; at <= 22; at++) {
    await released(app, `e-${at}`)
    await place.deliver(ROW)
  }
  const kept = await store.db.selectFrom('notebook_packages').select('environment').execute()
  equal(kept.length, 20)
  equal(
    kept.some(({ environment }) => environment === 'e-1'),
    false,
  )
  await store.db.deleteFrom('apps').where('id', '=', app).execute()
  deepEqual(await store.db.selectFrom('notebook_packages').selectAll().execute(), [])
  equal((await place.deliver(ROW)).kind, 'unwanted')
})

type Parts = Parameters<typeof notebookPackagesPlace>[0]
const ROW = {} as Parameters<ReturnType<typeof notebookPackagesPlace>['deliver']>[0]

function parts(asked: unknown[], answer: () => object): Parts {
  let now = 1
  return {
    db: store.db,
    clock: { now: () => now++ },
    publicUrl: '',
    sealer: { seal: String, open: String } as unknown as Parts['sealer'],
    agents: {
      tell: async (_, { params }) => {
        asked.push(params)
        return answer()
      },
    },
  }
}

async function released(app: string, environment: string): Promise<void> {
  const id = newId()
  const trigger = '{"kind":"api","by":"ada"}'
  await store.db
    .insertInto('deployments')
    .values({
      ...{ id, app_id: app, kind: 'deploy', state: 'running', trigger },
      ...{ created_at: 1, cancel_requested: 0 },
    })
    .execute()
  const release = {
    ...{ commit: 'c'.repeat(40), commitSubject: '', joined: undefined, target: 'notebook' },
    ...{ settingsSealed: '', secretRevisions: {}, origin: undefined, configHash: 'c' },
    content: { notebook: { environment, pack: 'pip' } },
  }
  const ended = { state: 'succeeded', outcome: 'deployed', release } as const
  await finishDeployment(store, await readDeployment(store.db, id), ended)
}

async function open(): Promise<string[]> {
  const rows = await store.db.selectFrom('outbox').select('place').where('ended_at', 'is', null).execute()
  return rows.map(({ place }) => place)
}
