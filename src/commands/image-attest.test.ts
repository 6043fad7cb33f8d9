import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { EngineRequest } from '#exec/call.ts'
import { LABEL } from './container-data.ts'
import { imageAttest } from './image.ts'
import { testHands } from './recorded-hands.test.ts'

const DIGEST = `sha256:${'d'.repeat(64)}`
const ID = `sha256:${'1'.repeat(64)}`
const COMMIT = 'c'.repeat(40)
const BUILT_FROM = 'b'.repeat(40)
const NAME = `api-contents-${'1'.repeat(12)}`
const EXPORT = 'GET docker /containers/made/export'

type Table = Parameters<typeof testHands>[0]

const DATA = {
  ...{ app: 'api', image: 'api:1.2.0', serviceName: 'api', version: '1.2.0' },
  source: {
    ...{ repository: 'r1', origin: 'https://git.example/api.git', commit: COMMIT, context: '.' },
    ...{ dockerfile: 'Dockerfile', args: { WORD: 'value-of-it' }, secretNames: [] },
  },
  references: [reference('one.example/api:1.2.0'), reference('one.example/api:latest')],
}

function reference(name: string) {
  const address = name.split('/')[0] ?? ''
  const registry = { address, username: '', password: '' }
  return { reference: name, registry, isUnvouched: false, digest: DIGEST }
}

function host(...exceptions: Table): Table {
  const labels = { [LABEL.app]: 'api', [LABEL.commit]: BUILT_FROM }
  const file = { kind: 'file', path: 'lib/apk/db/installed', text: 'P:musl\nV:1\nA:x86_64\n' } as const
  return [
    ...exceptions,
    ['GET docker /images/api:1.2.0/json', { json: { Id: ID, RepoDigests: [], Config: { Labels: labels } } }],
    ['GET docker /images/', { status: 404 }],
    [`DELETE docker /containers/${NAME}`, { status: 404 }],
    ['POST docker /containers/create', { status: 201, json: { Id: 'made' } }],
    [EXPORT, { events: [file] }],
    ['stat', { kind: 'folder' }],
    ['read', { kind: 'file', text: 'FROM debian:12\n' }],
    ['PUT https://one.example/v2/api/blobs/uploads/1', { status: 201 }],
    [
      'POST https://one.example/v2/api/blobs/uploads/',
      { status: 202, headers: { location: '/v2/api/blobs/uploads/1?s=2' } },
    ],
    [
      `GET https://one.example/v2/api/manifests/${encodeURIComponent(DIGEST)}`,
      present('application/vnd.docker.distribution.manifest.v2+json'),
    ],
    ['GET https://one.example/v2/api/manifests/sha256-', { status: 404 }],
    ['PUT https://one.example/v2/api/manifests/', { status: 201 }],
  ]
}

function present(type: string, json: unknown = {}) {
  return { status: 200, headers: { 'docker-content-digest': DIGEST, 'content-type': type }, json }
}

test('an image gets what it is made of and how, made without running it, once beside it in each registry', async () => {
  const hands = testHands(host())
  const result = await imageAttest.run(hands, DATA)
  const [bill, statement] = result.documents.map(({ packed = '' }) =>
    JSON.parse(gunzipSync(Buffer.from(packed, 'base64')).toString()),
  )
  assert.deepEqual(
    bill.components.map(({ purl }: { purl: string }) => purl),
    ['pkg:apk/alpine/musl@1?arch=x86_64'],
  )
  // The content was built from an earlier commit.
  assert.equal(statement.predicate.buildDefinition.externalParameters.commit, BUILT_FROM)
  assert.ok(!JSON.stringify(statement).includes('value-of-it'))
  const lines = hands.recorder.shown
  assert.ok(!lines.some(line => line.includes('/start')))
  assert.equal(lines.filter(line => line === `DELETE docker /containers/${NAME}?force=true&v=true`).length, 2)
  assert.equal(lines.filter(line => line.includes('manifests/sha256-')).length, 2)
  assert.equal(new Set(result.attached.map(({ manifests }) => manifests.join())).size, 1)
  const manifests = hands.recorder.calls
    .filter((call): call is EngineRequest<unknown> => call.kind === 'request' && call.method === 'PUT')
    .filter(({ path }) => path.includes('/manifests/'))
    .map(({ body }) => JSON.parse(String(body)))
  assert.deepEqual(
    manifests.slice(0, 2).map(({ subject, artifactType }) => [subject.digest, artifactType]),
    [
      [DIGEST, 'application/vnd.cyclonedx+json'],
      [DIGEST, 'application/vnd.in-toto+json'],
    ],
  )
  assert.deepEqual(
    manifests[2].manifests.map(({ digest }: { digest: string }) => digest),
    result.attached[0]?.manifests,
  )
})

test('what others keep beside an image stays there, and a registry that lists it itself gets no tag for it', async () => {
  const signature = { mediaType: 'x', digest: `sha256:${'5'.repeat(64)}`, size: 1, artifactType: 'signature' }
  const older = {
    mediaType: 'x',
    digest: `sha256:${'6'.repeat(64)}`,
    size: 1,
    artifactType: 'application/vnd.cyclonedx+json',
  }
  const index = present('application/vnd.oci.image.index.v1+json', { manifests: [signature, older] })
  const hands = testHands(host(['GET https://one.example/v2/api/manifests/sha256-', index]))
  await imageAttest.run(hands, DATA)
  const put = hands.recorder.calls.findLast(call => call.kind === 'request' && call.method === 'PUT')
  const { manifests } = JSON.parse(String((put as EngineRequest<unknown>).body))
  assert.deepEqual([manifests.length, manifests[0].artifactType], [3, 'signature'])
  const lists: Table = [
    ['PUT https://one.example/v2/api/manifests/', { status: 201, headers: { 'oci-subject': DIGEST } }],
  ]
  const other = testHands(host(...lists))
  await imageAttest.run(other, DATA)
  assert.ok(!other.recorder.shown.some(line => line.includes('manifests/sha256-')))
})

test('a registry that takes nothing beside an image is a warning, and an unreadable image leaves no container', async () => {
  const refusing = testHands(host(['PUT https://one.example/v2/api/manifests/', { status: 400 }]))
  const { attached, documents } = await imageAttest.run(refusing, DATA)
  assert.deepEqual([attached[0]?.manifests, documents.length], [[], 2])
  assert.ok(refusing.said.some(line => /^warning: .*one\.example\/api:1\.2\.0/.test(line)))
  const broken = testHands(host([EXPORT, { error: new Error('the engine went away') }]))
  await assert.rejects(imageAttest.run(broken, DATA), /went away/)
  assert.match(broken.recorder.shown.findLast(line => line.includes('/containers/')) ?? '', /^DELETE/)
})
