import { deepEqual, equal, match } from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { TestClock } from '#lib/test-clock.ts'
import { seedApp, type TestServer, testServer } from '#manager/api/test-server.ts'
import { movedImages } from '#manager/apps/moved-images.ts'
import { storeTurn } from '#manager/store/test-database.ts'
import { createImageFollower, type ImageFollower } from './image-follower.ts'

const MINUTE = 60_000
const COMMIT = 'c'.repeat(40)
const [OLD, NEW, NEWER] = ['1', '2', '3'].map(digit => `sha256:${digit.repeat(64)}`) as [
  string,
  string,
  string,
]
const TAG = 'registry.example:5000/team/db:1'

let server: TestServer
let clock: TestClock
let follower: ImageFollower
let app = ''
/** What the registry answers. */
let answer: object

before(async () => {
  server = await testServer({ answer: command => (command === 'image.digest' ? answer : {}) })
})
after(() => server.close())

beforeEach(async () => {
  clock = new TestClock(Date.now())
  answer = { digest: OLD }
  app = (await seedApp(server, `shop-${Math.random().toString(36).slice(2, 8)}`)).app
  await release({})
  follower = createImageFollower({ ...server.parts, clock, registry: undefined, random: () => 0.5 })
  await follower.start()
})
afterEach(async () => {
  await follower.close()
  const { db } = server.parts
  await db.deleteFrom('releases').execute()
  await db.deleteFrom('deployments').execute()
  server.recorded.told.length = 0
})

async function release(more: { held_commit?: string; pinned?: string; followed?: object | undefined }) {
  const { pinned = OLD, held_commit = null } = more
  const followed = 'followed' in more ? more.followed : { everyMs: 5 * MINUTE, tags: { db: TAG } }
  const content = { project: 'shop', followed, pinned: { db: `registry.example:5000/team/db@${pinned}` } }
  const id = newId()
  const values = { id, app_id: app, deployment_id: newId(), commit: COMMIT, config_hash: 'x', created_at: 1 }
  await server.parts.db
    .insertInto('releases')
    .values({ ...values, target: 'compose', origin: id, held_commit, content: JSON.stringify(content) })
    .execute()
}

/** So much time passes, and what it sets off is done. */
async function pass(ms: number): Promise<void> {
  await clock.pass(ms, async () => {
    for (let turn = 0; turn < 20; turn++) {
      await storeTurn()
    }
  })
}

async function deployments() {
  const { db } = server.parts
  return await db.selectFrom('deployments').selectAll().where('app_id', '=', app).orderBy('id').execute()
}

async function end(state: 'failed' | 'superseded' | 'succeeded'): Promise<void> {
  await server.parts.db.updateTable('deployments').set({ state }).where('app_id', '=', app).execute()
}

async function bring() {
  const row = await server.parts.db
    .selectFrom('apps')
    .selectAll()
    .where('id', '=', app)
    .executeTakeFirstOrThrow()
  return movedImages(row).bring
}

function asked(): number {
  return server.recorded.told.filter(({ command }) => command === 'image.digest').length
}

describe('a tag that is followed', () => {
  test('is looked at every interval, and as long as it means what runs nothing happens', async () => {
    await pass(21 * MINUTE)
    equal(asked(), 4)
    deepEqual(server.recorded.told[0]?.params, { reference: TAG, registries: [] })
    deepEqual(await deployments(), [])
  })

  test('that moved brings one deployment of the commit that runs, which says why', async () => {
    answer = { digest: NEW }
    await pass(12 * MINUTE)
    const [only, ...more] = await deployments()
    deepEqual([only?.kind, only?.wanted_commit, only?.state, more], ['deploy', COMMIT, 'queued', []])
    const trigger = JSON.parse(only?.trigger ?? '')
    deepEqual([trigger.kind, trigger.by], ['image', 'images'])
    match(trigger.detail, /^registry\.example:5000\/team\/db:1 is sha256:222222222222 now$/)
    deepEqual(await bring(), { db: `registry.example:5000/team/db@${NEW}` })
  })

  test('is not tried again with an image that did not work, but with the next one', async () => {
    answer = { digest: NEW }
    await pass(6 * MINUTE)
    await end('failed')
    await pass(60 * MINUTE)
    equal((await deployments()).length, 1)
    answer = { digest: NEWER }
    await pass(6 * MINUTE)
    equal((await deployments()).length, 2)
    deepEqual(await bring(), { db: `registry.example:5000/team/db@${NEWER}` })
  })

  test('is tried again when its deployment made way for another one', async () => {
    answer = { digest: NEW }
    await pass(6 * MINUTE)
    await end('superseded')
    await pass(6 * MINUTE)
    equal((await deployments()).length, 2)
  })

  test('waits while something else is wanted of the app', async () => {
    const { db } = server.parts
    const values = {
      id: newId(),
      app_id: app,
      kind: 'deploy',
      state: 'waiting',
      trigger: '{"kind":"webhook"}',
    } as const
    await db
      .insertInto('deployments')
      .values({ ...values, cancel_requested: 0, created_at: 1 })
      .execute()
    answer = { digest: NEW }
    await pass(12 * MINUTE)
    equal((await deployments()).length, 1)
    await end('succeeded')
    await pass(6 * MINUTE)
    equal((await deployments()).length, 2)
  })

  test('is left alone after a rollback, which it would undo', async () => {
    await release({ held_commit: COMMIT })
    answer = { digest: NEW }
    await pass(30 * MINUTE)
    deepEqual([asked(), await deployments()], [0, []])
  })

  test('is left alone from the deployment on whose file no longer asks for it', async () => {
    await release({ followed: undefined })
    server.parts.events.publish('deployment', { id: newId(), app: await nameOf(), state: 'succeeded' })
    await pass(30 * MINUTE)
    equal(asked(), 0)
  })
})

async function nameOf(): Promise<string> {
  const { name } = await server.parts.db
    .selectFrom('apps')
    .select('name')
    .where('id', '=', app)
    .executeTakeFirstOrThrow()
  return name
}

describe('a registry', () => {
  test('that wants to be left alone is, for as long as it says', async () => {
    answer = { problem: 'the registry answers 429', retryAfterSeconds: 3_600 }
    await pass(62 * MINUTE)
    equal(asked(), 1)
    await pass(3 * MINUTE)
    equal(asked(), 2)
  })

  test('that does not answer is asked ever more rarely, and as often as before once it does', async () => {
    answer = { problem: 'it does not answer' }
    await pass(120 * MINUTE)
    const rarely = asked()
    equal(rarely < 6 && rarely > 2, true, `${rarely} times`)
    answer = { digest: OLD }
    await pass(60 * MINUTE)
    const before = asked()
    await pass(60 * MINUTE)
    equal(asked() - before, 12)
  })
})
