import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Call, EngineRequest } from '#exec/call.ts'
import { ENGINE_UNREACHABLE } from '#exec/errors.ts'
import { revealed, type Secret } from '#lib/secret.ts'
import { LABEL } from './container-data.ts'
import { imagePush } from './image.ts'
import {
  REGISTRY_CREDENTIAL_REFUSED,
  REGISTRY_DENIED,
  REGISTRY_DISK_FULL,
  REGISTRY_FAILED,
  REGISTRY_UNREACHABLE,
} from './image-errors.ts'
import { testHands } from './recorded-hands.test.ts'

const DIGEST = `sha256:${'d'.repeat(64)}`
const registry = { address: 'r.example:5000', username: 'ada', password: 'love/lace?~1843' }
const DATA = { reference: 'r.example:5000/team/shop:t-1', registry }
const PINNED = `r.example:5000/team/shop@${DIGEST}`
const HEAD = 'HEAD https://r.example:5000/v2/team/shop/manifests/t-1'
const PUSH = 'POST docker /images/r.example:5000/team/shop/push?tag=t-1'
const UPLOAD = 'POST https://r.example:5000/v2/team/shop/blobs/uploads/'

type Table = Parameters<typeof testHands>[0]

const PRESENT = { status: 200, headers: { 'docker-content-digest': DIGEST } }
const MISSING = { status: 404 }
const LOCAL = { json: { Id: 'sha256:1', RepoDigests: [], Config: { Labels: { [LABEL.tree]: 't-1' } } } }

function host(...exceptions: Table): Table {
  return [
    ...exceptions,
    [HEAD, MISSING],
    ['GET docker /images/', LOCAL],
    [PUSH, events({ status: 'Pushed', id: 'a' }, { aux: { Tag: 't-1', Digest: DIGEST, Size: 1 } })],
  ]
}

function events(...values: object[]) {
  return { events: values.map(value => ({ kind: 'json', value }) as const) }
}

describe('a push', () => {
  test('is skipped when the registry has the manifest: one question', async () => {
    const hands = testHands(
      host([HEAD, PRESENT], ['GET docker /images/', { json: { Id: 'sha256:1', RepoDigests: [PINNED] } }]),
    )
    assert.deepEqual(await imagePush.run(hands, DATA), { digest: DIGEST, reference: PINNED, skipped: true })
    assert.equal(hands.recorder.shown.filter(line => line.startsWith('POST')).length, 0)
  })

  test('asks for the manifests of today, whose digests are those of the images', async () => {
    const hands = testHands(host())
    await imagePush.run(hands, DATA)
    const [head] = hands.recorder.calls as readonly EngineRequest<unknown>[]
    assert.match(String(head?.headers?.accept), /manifest\.v2\+json.*oci\.image\.index/)
  })

  test('gives the digest that the engine reports, and hands over the credential as the engine reads it', async () => {
    const hands = testHands(host())
    assert.deepEqual(await imagePush.run(hands, DATA), { digest: DIGEST, reference: PINNED, skipped: false })
    const header = pushOf(hands.recorder.calls)?.headers?.['x-registry-auth'] as Secret
    const text = revealed(header)
    assert.match(text, /^[A-Za-z0-9_-]+={0,2}$/)
    assert.equal(text.length % 4, 0)
    assert.deepEqual(JSON.parse(Buffer.from(text, 'base64url').toString()), {
      username: 'ada',
      password: 'love/lace?~1843',
      serveraddress: 'r.example:5000',
    })
    assert.equal(String(header), '[secret]')
  })

  test('fetches what the registry has when the build of another host got there first', async () => {
    const hands = testHands(host([HEAD, PRESENT], ['POST docker /images/create', {}]))
    assert.equal((await imagePush.run(hands, DATA)).skipped, true)
    assert.ok(hands.recorder.shown.some(line => line.includes(encodeURIComponent(PINNED))))
  })

  test('takes nothing from the registry that was made from something else, whatever its tag says', async () => {
    const theirs = {
      json: { Id: 'sha256:9', RepoDigests: [PINNED], Config: { Labels: { [LABEL.tree]: 't-2' } } },
    }
    const hands = testHands(
      host(
        [HEAD, PRESENT],
        ['POST docker /images/create', {}],
        [`GET docker /images/${PINNED}`, theirs],
        [`DELETE docker /images/${PINNED}`, {}],
      ),
    )
    assert.equal((await imagePush.run(hands, DATA)).skipped, false)
    assert.ok(hands.recorder.shown.includes(PUSH))
  })

  test('gets a token where the registry wants one', async () => {
    const challenge = 'Bearer realm="https://auth.example/token?x=1",service="r.example"'
    const hands = testHands(
      host(
        [HEAD, [{ status: 401, headers: { 'www-authenticate': challenge } }, PRESENT]],
        ['GET https://auth.example/token', { json: { token: 'tok' } }],
        ['POST docker /images/create', {}],
      ),
    )
    await imagePush.run(hands, DATA)
    const asked = hands.recorder.shown.find(line => line.includes('auth.example'))
    assert.match(String(asked), /scope=repository%3Ateam%2Fshop%3Apull%2Cpush/)
  })

  test('goes on through the engine when the registry cannot be asked directly', async () => {
    const hands = testHands(host([HEAD, { error: ENGINE_UNREACHABLE('r', 'x') }]))
    assert.equal((await imagePush.run(hands, DATA)).skipped, false)
  })
})

describe('a push that fails', () => {
  for (const [reason, kind] of [
    ['unauthorized: authentication required', REGISTRY_CREDENTIAL_REFUSED],
    ['dial tcp 127.0.0.1:1: connect: connection refused', REGISTRY_UNREACHABLE],
    ['denied: requested access to the resource is denied', REGISTRY_DENIED],
    ['something else', REGISTRY_FAILED],
  ] as const) {
    test(`with "${reason}" says ${kind.definition.code}`, async () => {
      const hands = testHands(host([PUSH, events({ error: reason, errorDetail: { message: reason } })]))
      await assert.rejects(imagePush.run(hands, DATA), kind.matches)
    })
  }

  const stuck = events({ status: 'Retrying in 5 seconds', id: 'a' })
  const full = { status: 500, json: { errors: [{ detail: { Enclosed: { Op: 'mkdir', Err: 28 } } }] } }
  for (const [what, upload, kind] of [
    ['a full disk', full, REGISTRY_DISK_FULL],
    ['a defect', { status: 500, text: 'oops' }, REGISTRY_FAILED],
    ['no right to write', { status: 403 }, REGISTRY_DENIED],
    ['a registry that went away', { error: ENGINE_UNREACHABLE('r', 'x') }, REGISTRY_UNREACHABLE],
  ] as const) {
    test(`ends at the first retry and finds ${what} by asking`, async () => {
      const hands = testHands(host([PUSH, stuck], [UPLOAD, upload]))
      await assert.rejects(imagePush.run(hands, DATA), kind.matches)
      assert.equal(hands.recorder.shown.filter(line => line === PUSH).length, 1)
    })
  }

  test('is tried once more when the registry takes data again, and leaves no upload there', async () => {
    const table: Table = [
      [PUSH, [stuck, events({ aux: { Digest: DIGEST } })]],
      [
        UPLOAD,
        { status: 202, headers: { location: 'https://elsewhere.example/v2/team/shop/blobs/uploads/1?s=2' } },
      ],
      ['PATCH https://r.example:5000/v2/team/shop/blobs/uploads/1?s=2', { status: 202 }],
      ['DELETE https://r.example:5000/v2/team/shop/blobs/uploads/1?s=2', { status: 204 }],
    ]
    const hands = testHands(host(...table))
    assert.equal((await imagePush.run(hands, DATA)).digest, DIGEST)
    assert.ok(hands.recorder.shown.some(line => line.startsWith('DELETE')))
  })

  test('without a digest is a failure too', async () => {
    await assert.rejects(imagePush.run(testHands(host([PUSH, events()])), DATA), REGISTRY_FAILED.matches)
  })
})

function pushOf(calls: readonly Call<unknown>[]): EngineRequest<unknown> | undefined {
  return calls.find(
    (call): call is EngineRequest<unknown> => call.kind === 'request' && call.path.endsWith('/push'),
  )
}
