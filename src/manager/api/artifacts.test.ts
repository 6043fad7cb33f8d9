import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ArtifactDocument } from '#contract/rest/artifacts.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import { newId } from '#lib/id.ts'
import { noteArtifact } from '#manager/artifacts/note-artifact.ts'
import { listArtifacts } from '#manager/artifacts/queries.ts'
import { readDeployment } from '#manager/deployments/queries.ts'
import type { ReleaseDraft } from '#manager/pipeline/step.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

const COMMIT = 'c'.repeat(40)
const DIGEST = `sha256:${'d'.repeat(64)}`
let server: TestServer

before(async () => {
  server = await testServer()
  await seedApp(server, 'api')
})

after(() => server.close())

test('R88 an artefact is asked for by service name, version and type', async () => {
  for (const type of ['docker', 'Docker', undefined]) {
    const body = { service_name: 'api', version: '1.2.0', ...(type ? { type } : {}) }
    const answer = await server.ask('POST', '/api/v1/artifacts', body)
    assert.equal(answer.statusCode, 202)
    assert.equal(answer.json<DeploymentDocument>().wanted_version, '1.2.0')
  }
  const { items } = (await server.ask('GET', '/api/v1/deployments')).json<{ items: DeploymentDocument[] }>()
  assert.equal(items.length, 1, 'the same wish is one deployment')
})

test('R88 an AMI is refused with what to do, before anything is requested', async () => {
  for (const type of ['ami', 'AMI', 'zip']) {
    const answer = await server.ask('POST', '/api/v1/artifacts', { service_name: 'api', version: '9', type })
    assert.equal(answer.statusCode, 422)
    assert.equal(answer.json().code, 'ARTIFACT_TYPE_UNSUPPORTED')
    assert.match(answer.json().detail, /not supported/)
  }
  const { items } = (await server.ask('GET', '/api/v1/deployments')).json<{ items: DeploymentDocument[] }>()
  assert.equal(items.length, 1)
})

test('a deployment with another version takes the place of the queued one', async () => {
  const answer = await server.ask('POST', '/api/v1/apps/api/deploy', { version: '1.3.0' })
  const { items } = (await server.ask('GET', '/api/v1/deployments')).json<{ items: DeploymentDocument[] }>()
  assert.deepEqual(
    items.map(each => [each.wanted_version, each.state]),
    [
      ['1.3.0', 'queued'],
      ['1.2.0', 'superseded'],
    ],
  )
  assert.equal(answer.json<DeploymentDocument>().id, items[0]?.id)
  const both = { version: '1', release: newId() }
  assert.equal((await server.ask('POST', '/api/v1/apps/api/deploy', both)).statusCode, 422)
})

test('what was made is listed newest first, by page, service and version, and read by its id', async () => {
  for (const [name, version] of [
    ['team/api', '1.0'],
    ['team/api', '1.1'],
    ['other', '1.0'],
  ] as const) {
    await made(name, version)
  }
  const list = async (query: string) =>
    (await server.ask('GET', `/api/v1/artifacts${query}`)).json<{ items: ArtifactDocument[]; next: string }>()
  const first = await list('?limit=2')
  const second = await list(`?limit=2&cursor=${first.next}`)
  assert.deepEqual(
    [...first.items, ...second.items].map(({ image }) => image),
    ['other:1.0', 'team/api:1.1', 'team/api:1.0'],
  )
  assert.equal(second.next, null)
  const [one] = (await list('?service_name=team/api&version=1.0')).items
  assert.ok(one)
  assert.deepEqual(one.references, [{ reference: 'r.example/team/api:1.0', digest: DIGEST }])
  assert.equal(one.bytes, 100)
  assert.deepEqual((await server.ask('GET', `/api/v1/artifacts/${one.id}`)).json(), one)
  assert.equal((await server.ask('GET', `/api/v1/artifacts/${newId()}`)).json().code, 'ARTIFACT_NOT_FOUND')
})

test('a service that has another name than its app is found by what it made, and must be called so again', async () => {
  const body = { service_name: 'team/api', version: '2.0' }
  const { id, app } = (await server.ask('POST', '/api/v1/artifacts', body)).json<DeploymentDocument>()
  assert.equal(app, 'api')
  const { wantedArtifact } = await readDeployment(server.parts.db, id)
  assert.deepEqual(wantedArtifact, { version: '2.0', serviceName: 'team/api' })
  const none = await server.ask('POST', '/api/v1/artifacts', { service_name: 'nobody', version: '1' })
  assert.deepEqual([none.statusCode, none.json().code], [404, 'SERVICE_UNKNOWN'])
})

test('an administrator gives the name of a service to a repository and frees it, and takes an artefact out of the list', async () => {
  const path = '/api/v1/service-names/team%2Fapi'
  const given = await server.ask('PUT', path, { repository: 'api-repo' })
  assert.deepEqual(
    [given.statusCode, given.json().name, given.json().repository],
    [200, 'team/api', 'api-repo'],
  )
  const { items } = (await server.ask('GET', '/api/v1/service-names')).json()
  assert.deepEqual(items, [given.json()])
  assert.equal((await server.ask('DELETE', path)).statusCode, 204)
  assert.equal((await server.ask('DELETE', path)).json().code, 'SERVICE_NAME_FREE')
  const newest = `/api/v1/artifacts/${await made('gone', '1.0')}`
  assert.equal((await server.ask('DELETE', newest)).statusCode, 204)
  assert.equal((await server.ask('GET', newest)).json().code, 'ARTIFACT_NOT_FOUND')
})

test('R91 the badge of an app shows the version of its newest artefact', async () => {
  await server.ask('PATCH', '/api/v1/apps/api', { badge: 'public' })
  const { body } = await server.server.inject({ method: 'GET', url: '/badges/api.svg' })
  assert.match(body, />build</)
  assert.match(body, />1\.0</)
})

/** Gives its id. */
async function made(name: string, version: string): Promise<string> {
  const image = `${name}:${version}`
  const references = { [`r.example/${image}`]: DIGEST }
  const content = {
    service_name: name,
    version,
    tree: 't-1',
    image,
    imageId: 'sha256:1',
    references,
    bytes: 100,
  }
  const [{ id } = { id: '' }] = await server.parts.db.selectFrom('deployments').select('id').execute()
  const deployment = await readDeployment(server.parts.db, id)
  const draft = { target: 'image', commit: COMMIT, content } as unknown as ReleaseDraft
  await noteArtifact(server.parts, { id: newId(), deployment, draft })
  const [artifact] = await listArtifacts(server.parts.db, { limit: 1 })
  return artifact?.id ?? ''
}
