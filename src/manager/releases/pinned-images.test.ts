import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '#lib/id.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore } from '#manager/deployments/test-store.ts'
import { keptIn } from '#manager/registry/collect.ts'
import { pinnedImages } from './pinned-images.ts'

const ENVIRONMENT = `e-${'3'.repeat(24)}`
const hex = (letter: string) => letter.repeat(64)

test('what kept releases, containers that were seen, artifacts and open deployments name is pinned; older releases are not', async () => {
  const store = await openTestStore()
  try {
    const { db } = store
    const id = await addApp(store, 'shop')
    for (const letter of ['a', 'b', 'c']) {
      const content = { image: `host:5000/shop:t-${letter}`, pinned: `host:5000/shop@sha256:${hex(letter)}` }
      await addRelease(store, id, content)
    }
    await addRelease(store, await addApp(store, 'churn'), { notebook: { environment: ENVIRONMENT } })
    const rendered = { compose: { text: `services:\n  web:\n    image: "redis:7@sha256:${hex('d')}"\n` } }
    await addRelease(store, await addApp(store, 'board', 'compose'), rendered)
    const observed = JSON.stringify({
      containers: [{ imageId: `sha256:${hex('e')}`, image: 'shop/by-hand:1' }],
    })
    await db.updateTable('apps').set({ observed }).where('id', '=', id).execute()
    const trigger = { kind: 'api', by: 'test' } as const
    const { id: open } = await requestDeployment(store, { appId: id, kind: 'deploy', trigger })
    const plan = JSON.stringify({ push: [{ data: { reference: 'host:5000/shop:t-f' } }] })
    await db.updateTable('deployments').set({ plan }).where('id', '=', open).execute()
    await db
      .insertInto('artifacts')
      .values({
        ...{ id: newId(), app: 'tool', deployment_id: newId(), service_name: 'tool', version: '1.2.0' },
        ...{ image: 'tool:1.2.0', image_id: `sha256:${hex('1')}`, bytes: null, commit: 'c', created_at: 1 },
        references: JSON.stringify({ 'host:5000/tool:1.2.0': `sha256:${hex('2')}` }),
      })
      .execute()
    const pinned = await pinnedImages(db, 2)
    for (const name of [
      ...['host:5000/shop:t-b', 'host:5000/shop:t-c', 'host:5000/shop:t-f', 'shop/by-hand:1'],
      ...['tool:1.2.0', 'host:5000/tool:1.2.0', ENVIRONMENT],
      ...['b', 'c', 'd', 'e', '1', '2'].map(letter => `sha256:${hex(letter)}`),
    ]) {
      assert.ok(pinned.includes(name), `${name} of ${pinned.join(' ')}`)
    }
    assert.ok(!pinned.some(name => name.includes('t-a') || name.includes(hex('a'))))
  } finally {
    await store.close()
  }
})

test('a registry is told of tags by repository, whatever it was called when they were given, and of digests wherever they are', () => {
  const digest = `sha256:${hex('a')}`
  const names = [
    'host:5000/team/shop:t-1',
    'earlier:5000/shop:t-2',
    `x/y@${digest}`,
    digest,
    'redis:7',
    ENVIRONMENT,
  ]
  assert.deepEqual(keptIn(names), ['team/shop:t-1', 'shop:t-2', digest, ENVIRONMENT])
})

async function addRelease(
  { db }: Awaited<ReturnType<typeof openTestStore>>,
  app: string,
  content: object,
): Promise<void> {
  const id = newId()
  const row = { id, app_id: app, deployment_id: id, commit: 'c'.repeat(40), config_hash: 'h', origin: id }
  await db
    .insertInto('releases')
    .values({ ...row, content: JSON.stringify(content), created_at: 1 })
    .execute()
}
