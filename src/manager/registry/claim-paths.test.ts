import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { SERVICE_NAME_TAKEN } from '#manager/artifacts/errors.ts'
import { findAppOfService, forgetArtifact, listArtifacts } from '#manager/artifacts/queries.ts'
import { grantService, releaseService } from '#manager/artifacts/service-names.ts'
import { readDeployment } from '#manager/deployments/queries.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore, type TestStore } from '#manager/deployments/test-store.ts'
import { planApp } from '#manager/pipeline/plan-app.ts'
import { createFakeAgents, type FakeAgents, workingAnswers } from '#manager/pipeline/test-agents.ts'
import { openTestQueue, testParts } from '#manager/pipeline/test-queue.ts'
import { claimPaths, pushedPaths } from './claim-paths.ts'
import { REGISTRY_PATH_TAKEN } from './errors.ts'

const registry = { address: 'registry.example:5000', username: 'ada', password: 'lovelace' }
const TAG = `t-${'1'.repeat(32)}`
const DIGEST = `sha256:${'d'.repeat(64)}`

let store: TestStore
let agents: FakeAgents
let settings: string

beforeEach(async () => {
  store = await openTestStore()
  settings = ''
  const working = workingAnswers()
  agents = createFakeAgents({
    ...working,
    'repository.checkout': (...asked) => ({
      ...(working['repository.checkout']?.(...asked) as object),
      ...{ paths: ['Dockerfile', 'fairlead.yaml'] },
      texts: { Dockerfile: 'FROM scratch\nEXPOSE 8080\n', 'fairlead.yaml': settings },
    }),
    'image.content': params => ({
      images: (params.images as { key: string; repositoryName: string; registry?: object }[]).map(
        ({ key, repositoryName, registry: wanted }) => ({
          ...{ key, tag: TAG, registry: wanted ? 'missing' : 'none' },
          reference: `${wanted ? registry.address : 'fairlead'}/${repositoryName}:${TAG}`,
        }),
      ),
    }),
    'image.published': params => ({
      ...{ local: null, bytes: null },
      references: (params.references as { reference: string; digest?: string }[]).map(
        ({ reference, digest }) => ({ reference, state: digest ? 'present' : 'missing', digest }),
      ),
    }),
    'image.publish': params => {
      const digests = (params.references as { reference: string }[]).map(each => [each.reference, DIGEST])
      return { imageId: DIGEST, pushed: [], digests: Object.fromEntries(digests) }
    },
    'image.push': ({ reference }) => ({ digest: DIGEST, reference, skipped: false }),
  })
})
afterEach(() => store.close())

async function deploy(app: string, lines: string) {
  settings = `version: 1\napps:\n  ${app}: { ${lines} }\n`
  const id = await appId(app)
  const queue = openTestQueue(store, agents, { registry })
  const trigger = { kind: 'api', by: 'ada' } as const
  const { id: deployment } = await requestDeployment(store, { appId: id, kind: 'deploy', trigger })
  queue.wake()
  await queue.idle()
  await queue.close()
  return await readDeployment(store.db, deployment)
}

async function appId(name: string): Promise<string> {
  const row = await store.db.selectFrom('apps').select('id').where('name', '=', name).executeTakeFirst()
  return row?.id ?? (await addApp(store, name))
}

test('a path of the registry belongs to the repository that pushed there first, and others are refused before a build', async () => {
  const first = await deploy('orders', "target: image, version: '1', name: team/orders")
  assert.deepEqual([first.state, first.error], ['succeeded', undefined])
  const other = "target: image, version: '2', push: ['registry.example:5000/team/orders:2']"
  agents.told.length = 0
  const second = await deploy('stranger', other)
  assert.deepEqual([second.state, second.error?.code], ['failed', 'REGISTRY_PATH_TAKEN'])
  assert.match(second.error?.message ?? '', /"team\/orders".*"orders"/)
  assert.ok(!agents.told.some(command => /build|publish$/.test(command)))
  const plan = planApp(testParts(store, agents, { registry }), await appId('stranger'))
  await assert.rejects(plan, REGISTRY_PATH_TAKEN.matches)
  assert.equal((await deploy('orders', "target: image, version: '3', name: team/orders")).state, 'succeeded')
})

test('R88 the name of a service belongs to the repository that made it first: others are refused before a build, and never found by it', async () => {
  const own = 'target: image, push: [], name: team/orders'
  assert.equal((await deploy('orders', `${own}, version: '1'`)).state, 'succeeded')
  await addApp(store, 'board', 'image')
  agents.told.length = 0
  for (const [name, owner] of [
    ['team/orders', 'orders'],
    ['board', 'board'],
  ]) {
    const evil = await deploy('evil', `target: image, push: [], version: '9', name: ${name}`)
    assert.deepEqual([evil.state, evil.error?.code], ['failed', 'SERVICE_NAME_TAKEN'])
    assert.match(evil.error?.message ?? '', new RegExp(`repository "${owner}"`))
  }
  assert.ok(!agents.told.some(command => /build|publish$/.test(command)))
  await assert.rejects(planApp(testParts(store, agents), await appId('evil')), SERVICE_NAME_TAKEN.matches)
  assert.equal(await findAppOfService(store.db, 'team/orders'), 'orders')
  assert.equal((await deploy('orders', `${own}, version: '2'`)).state, 'succeeded')
})

test('the name of a service is free when its app and its artefacts are gone, or an administrator says so', async () => {
  const lines = (version: string) => `target: image, push: [], name: tool, version: '${version}'`
  await deploy('first', lines('1'))
  await store.db.deleteFrom('apps').where('name', '=', 'first').execute()
  assert.equal((await deploy('second', lines('2'))).error?.code, 'SERVICE_NAME_TAKEN')
  for (const { id } of await listArtifacts(store.db, { limit: 9 })) {
    await forgetArtifact(store.db, id)
  }
  assert.equal((await deploy('second', lines('2'))).state, 'succeeded')
  assert.equal(await findAppOfService(store.db, 'tool'), 'second')
  await addApp(store, 'third')
  await grantService(store.db, { name: 'tool', repository: 'third', now: 1 })
  assert.equal((await deploy('second', lines('3'))).error?.code, 'SERVICE_NAME_TAKEN')
  assert.equal((await deploy('third', lines('3'))).state, 'succeeded')
  assert.equal(await findAppOfService(store.db, 'tool'), 'third')
  await releaseService(store.db, 'tool')
  assert.equal((await deploy('second', lines('4'))).state, 'succeeded')
})

test('a path that is the name of an app of another repository is its content, pushed or not', async () => {
  await addApp(store, 'shop')
  for (const lines of ["target: image, version: '1', name: shop", 'target: container, image_name: shop']) {
    const refused = await deploy('stranger', lines)
    assert.deepEqual([refused.state, refused.error?.code], ['failed', 'REGISTRY_PATH_TAKEN'], lines)
  }
  const own = await deploy('shop', 'target: container')
  assert.notEqual(own.error?.code, 'REGISTRY_PATH_TAKEN')
  assert.deepEqual(await claimed(), [['shop', 'shop']])
})

test('a repository that is gone holds no path, and one that takes what another just took is refused', async () => {
  const [one, two] = [await appOf('one'), await appOf('two')]
  await claimPaths(store.db, { app: one, paths: ['a', 'b'] }, 1)
  await assert.rejects(claimPaths(store.db, { app: two, paths: ['b', 'c'] }, 2), REGISTRY_PATH_TAKEN.matches)
  assert.deepEqual(await claimed(), [
    ['a', 'one'],
    ['b', 'one'],
  ])
  await store.db.deleteFrom('apps').where('name', '=', 'one').execute()
  await store.db.deleteFrom('repositories').where('name', '=', 'one').execute()
  await claimPaths(store.db, { app: two, paths: ['b'] }, 3)
  assert.deepEqual(await claimed(), [
    ['a', 'one'],
    ['b', 'two'],
  ])
})

test('an app that is removed in one repository and made in another keeps its own name, and no other path', async () => {
  const [one, two] = [await appOf('one'), await appOf('two')]
  await claimPaths(store.db, { app: one, paths: ['one', 'team'] }, 1)
  await store.db.deleteFrom('apps').where('name', '=', 'one').execute()
  const moved = { name: 'one', repository_id: two.repository_id }
  await assert.rejects(claimPaths(store.db, { app: two, paths: ['one'] }, 2), REGISTRY_PATH_TAKEN.matches)
  await assert.rejects(claimPaths(store.db, { app: moved, paths: ['team'] }, 2), REGISTRY_PATH_TAKEN.matches)
  await claimPaths(store.db, { app: moved, paths: ['one'] }, 3)
  const row = await store.db
    .selectFrom('registry_paths')
    .selectAll()
    .where('path', '=', 'one')
    .executeTakeFirst()
  assert.equal(row?.repository_id, two.repository_id)
})

test('what is said of an image is kept, and a failure of that is none of the deployment', async () => {
  const lines = "target: image, version: '1', name: team/orders"
  const failed = await deploy('orders', lines)
  assert.equal(failed.state, 'succeeded', 'the fake worker knows nothing of attestations')
  const step = store.db.selectFrom('steps').select('state').where('name', '=', 'attest')
  assert.equal((await step.where('deployment_id', '=', failed.id).executeTakeFirst())?.state, 'failed')
  agents.answers['image.attest'] = () => ({
    documents: [{ kind: 'sbom', mediaType: 'application/json', digest: DIGEST, bytes: 3 }],
    attached: [{ reference: 'r', place: 'r', manifests: [DIGEST] }],
    ...{ packages: 0, unread: [] },
  })
  const kept = await deploy('orders', lines.replace("'1'", "'2'"))
  const rows = await store.db.selectFrom('attestations').selectAll().execute()
  assert.deepEqual(
    rows.map(({ deployment_id, kind, manifests }) => [deployment_id, kind, manifests]),
    [[kept.id, 'sbom', JSON.stringify({ r: DIGEST })]],
  )
  const without = await deploy('orders', `${lines.replace("'1'", "'3'")}, sbom: false`)
  assert.equal(await step.where('deployment_id', '=', without.id).executeTakeFirst(), undefined)
})

test('the paths are those of the managed registry, whoever says its account', () => {
  const push = [
    { key: 'a', command: 'image.push', data: { reference: 'registry.example:5000/shop-web:t-1' } },
    {
      key: 'b',
      command: 'image.publish',
      data: {
        references: [
          { reference: 'registry.example:5000/team/api:1', registry: { username: 'own' } },
          { reference: 'elsewhere.example/team/other:1' },
        ],
      },
    },
  ]
  assert.deepEqual(pushedPaths({ push }, registry), ['shop-web', 'team/api'])
  assert.deepEqual(pushedPaths({ push }, undefined), [])
})

async function appOf(name: string) {
  await addApp(store, name)
  return await store.db
    .selectFrom('apps')
    .select(['name', 'repository_id'])
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
}

async function claimed() {
  const rows = await store.db.selectFrom('registry_paths').selectAll().orderBy('path').execute()
  return rows.map(({ path, app }) => [path, app])
}
