import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore } from '#manager/deployments/test-store.ts'
import { forgetOld } from '#manager/housekeeping.ts'
import { createFakeAgents, workingAnswers } from '#manager/pipeline/test-agents.ts'
import { openTestQueue } from '#manager/pipeline/test-queue.ts'
import {
  deleteSecret,
  ownSecrets,
  presentRevisions,
  presentSecrets,
  secretsOfRelease,
  setSecret,
} from './queries.ts'
import { createSealer } from './seal.ts'
import { deleteSharedSecret, listSharedSecrets, setSharedSecret } from './shared.ts'

const NO_LOGS = { forget: async () => {}, ids: async function* () {} }

const sealer = createSealer(Buffer.alloc(32, 1))

async function world() {
  const store = await openTestStore()
  const { db } = store
  const host = { role: 'worker', address: 'a', identity: '{}', created_at: 1 } as const
  await db
    .insertInto('hosts')
    .values([
      { ...host, name: 'local' },
      { ...host, name: 'other' },
    ])
    .execute()
  const shop = await addApp(store, 'shop')
  const stranger = await addApp(store, 'stranger')
  const app = await db.selectFrom('apps').selectAll().where('id', '=', shop).executeTakeFirstOrThrow()
  return {
    store,
    context: { ...store, sealer },
    app,
    stranger,
    repository: { repository_id: app.repository_id ?? '' },
  }
}

test("an app's own secret goes before its repository's, that before its host's; nobody else's are seen", async () => {
  const { store, context, app, stranger, repository } = await world()
  try {
    for (const name of ['A', 'B', 'C']) {
      await setSharedSecret(context, { host: 'local' }, { name, value: `${name} of the host` })
    }
    for (const name of ['A', 'B']) {
      await setSharedSecret(context, repository, { name, value: `${name} of the repository` })
    }
    await setSharedSecret(context, { host: 'other' }, { name: 'D', value: 'elsewhere' })
    await setSecret(context, { appId: app.id, name: 'A', value: 'A of the app' })
    assert.deepEqual((await presentSecrets(context, app.id)).values, {
      A: 'A of the app',
      B: 'B of the repository',
      C: 'C of the host',
    })
    assert.deepEqual((await presentSecrets(context, stranger)).values, {
      A: 'A of the host',
      B: 'B of the host',
      C: 'C of the host',
    })
    assert.deepEqual((await ownSecrets(context, app.id)).values, { A: 'A of the app' })
    await deleteSecret(store.db, app.id, 'A')
    assert.equal((await presentSecrets(context, app.id)).values.A, 'A of the repository')
    const stored = JSON.stringify(await store.db.selectFrom('shared_secrets').selectAll().execute())
    assert.doesNotMatch(stored, /of the repository/)
  } finally {
    await store.close()
  }
})

test('a release brings back the very shared values that it was made with, and housekeeping leaves them', async () => {
  const { store, context, app, repository } = await world()
  const { db } = store
  try {
    await setSharedSecret(context, repository, { name: 'WORD', value: 'one' })
    await setSecret(context, { appId: app.id, name: 'OWN', value: 'mine' })
    const { revisions, values } = await presentSecrets(context, app.id)
    assert.deepEqual(await presentRevisions(db, app), revisions)
    const release = { app_id: app.id, deployment_id: 'd', commit: 'c', config_hash: 'h', content: '{}' }
    await db
      .insertInto('releases')
      .values({ ...release, id: 'r', created_at: 1, secrets: JSON.stringify(revisions) })
      .execute()
    await setSharedSecret(context, repository, { name: 'WORD', value: 'two' })
    const { revision } = await setSharedSecret(context, repository, { name: 'WORD', value: 'three' })
    assert.equal(revision, 3)
    assert.equal(await deleteSharedSecret(db, repository, 'WORD'), true)
    assert.equal(await deleteSharedSecret(db, repository, 'WORD'), false)
    assert.deepEqual(await listSharedSecrets(db, repository), [])
    await forgetOld({ ...store, logs: NO_LOGS as never })
    assert.deepEqual((await secretsOfRelease(context, app.id, revisions)).values, values)
    assert.equal((await db.selectFrom('shared_secrets').select('id').execute()).length, 1)
    assert.deepEqual((await presentSecrets(context, app.id)).values, { OWN: 'mine' })
    await db.deleteFrom('releases').execute()
    await forgetOld({ ...store, logs: NO_LOGS as never })
    await assert.rejects(secretsOfRelease(context, app.id, revisions), { code: 'SECRET_REVISION_GONE' })
  } finally {
    await store.close()
  }
})

test('a worker is told a shared secret with the command that needs it and no other, and the release names no more than it uses', async () => {
  const { store, context, app, repository } = await world()
  const told: string[] = []
  const answers = workingAnswers()
  const texts = {
    Dockerfile: 'FROM scratch\nEXPOSE 8080\n',
    'fairlead.yaml': 'version: 1\napps:\n  shop: { target: container, environment: { WORD: $WORD } }\n',
  }
  const checkout = answers['repository.checkout']
  answers['repository.checkout'] = (...asked) => ({
    ...(checkout?.(...asked) as object),
    ...{ paths: Object.keys(texts), texts },
  })
  const agents = createFakeAgents(
    Object.fromEntries(
      Object.entries(answers).map(([name, answer]) => [
        name,
        (...asked: Parameters<typeof answer>) => {
          told.push(`${name} ${JSON.stringify(asked[0])}`)
          return answer(...asked)
        },
      ]),
    ),
  )
  const queue = openTestQueue(store, agents, { sealer })
  try {
    await setSharedSecret(context, repository, { name: 'WORD', value: 'canary-of-the-repository' })
    await setSharedSecret(context, { host: 'local' }, { name: 'OTHER', value: 'canary-of-the-host' })
    const trigger = { kind: 'api', by: 'ada' } as const
    await requestDeployment(store, { appId: app.id, kind: 'deploy', trigger })
    queue.wake()
    await queue.idle()
    const release = await store.db.selectFrom('releases').selectAll().executeTakeFirstOrThrow()
    assert.deepEqual(Object.keys(JSON.parse(release.secrets ?? '{}')), ['WORD'])
    const named = told
      .filter(each => each.includes('canary-of-the-repository'))
      .map(each => each.split(' ')[0])
    assert.deepEqual([...new Set(named)], ['container.start'])
    assert.ok(!told.some(each => each.includes('canary-of-the-host')))
  } finally {
    await queue.close()
    await store.close()
  }
})
