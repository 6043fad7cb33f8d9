import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FairleadError } from '#lib/errors.ts'
import { LABEL } from './container-data.ts'
import { imagePublish, imagePublished } from './image.ts'
import {
  LOCAL_NAME_TAKEN,
  PUSH_INCOMPLETE,
  PUSH_NOT_CONFIRMED,
  TAG_RESERVED,
  VERSION_EXISTS,
} from './image-publish-errors.ts'
import { testHands } from './recorded-hands.test.ts'

const DIGEST = `sha256:${'d'.repeat(64)}`
const OTHER = `sha256:${'e'.repeat(64)}`
const CONFIG = `sha256:${'c'.repeat(64)}`
const TREE = `t-${'1'.repeat(32)}`
const ONE = 'one.example/api:1.2.0'
const TWO = 'two.example/api:1.2.0'
const LATEST = 'one.example/api:latest'

type Table = Parameters<typeof testHands>[0]

const MISSING = { status: 404 }
const LOCAL = { json: { Id: 'sha256:1', RepoDigests: [], Config: { Labels: { [LABEL.app]: 'api' } } } }

function target(reference: string, mayMove = false) {
  const address = reference.split('/')[0] ?? ''
  return { reference, registry: { address, username: '', password: '' }, isUnvouched: false, mayMove }
}

function dataOf(...references: ReturnType<typeof target>[]) {
  return { app: 'api', image: `fairlead/api:${TREE}`, name: 'api:1.2.0', tree: TREE, references }
}

/** A registry that has an image made from this content. */
function has(reference: string, digest: string, tree: string): Table {
  const [host, rest = ''] = reference.split('/')
  const [name, tag] = rest.split(':')
  return [
    [
      `GET https://${host}/v2/${name}/manifests/${tag}`,
      {
        status: 200,
        headers: { 'docker-content-digest': digest },
        json: { config: { digest: CONFIG, size: 10 }, layers: [{ size: 90 }] },
      },
    ],
    [
      `GET https://${host}/v2/${name}/blobs/`,
      { status: 200, json: { config: { Labels: { [LABEL.tree]: tree } } } },
    ],
  ]
}

function host(...exceptions: Table): Table {
  return [
    ...exceptions,
    ['GET docker /images/api:1.2.0/json', MISSING],
    ['GET docker /images/', LOCAL],
    ['POST docker /images/fairlead/', { status: 201 }],
    ['GET https://', MISSING],
    ['POST docker /images/', { events: [{ kind: 'json', value: { aux: { Digest: DIGEST } } }] }],
    ['DELETE docker /images/', { status: 200 }],
  ]
}

describe('publishing', () => {
  test('R88 R96 tags the image as name:version, and retags and pushes it to every registry', async () => {
    const hands = testHands(host())
    const result = await imagePublish.run(hands, dataOf(target(ONE), target(TWO), target(LATEST, true)))
    assert.deepEqual(result.digests, { [ONE]: DIGEST, [TWO]: DIGEST, [LATEST]: DIGEST })
    assert.deepEqual(result.pushed, [ONE, TWO, LATEST])
    const tagged = hands.recorder.shown.flatMap(
      line => /\/tag\?repo=([^&]+)&tag=(.+)$/.exec(line)?.slice(1) ?? [],
    )
    assert.deepEqual(tagged.map(decodeURIComponent).slice(-2), ['api', '1.2.0'])
    assert.equal(tagged.length, 8)
  })

  test('leaves a registry alone that has this content', async () => {
    const hands = testHands(host(...has(ONE, OTHER, TREE)))
    const result = await imagePublish.run(hands, dataOf(target(ONE)))
    assert.deepEqual([result.digests, result.pushed], [{ [ONE]: OTHER }, []])
  })

  test('refuses a version that has got another content since the plan, and moves what may move', async () => {
    const taken = host(...has(ONE, OTHER, 't-other'))
    await assert.rejects(imagePublish.run(testHands(taken), dataOf(target(ONE))), VERSION_EXISTS.matches)
    const hands = testHands(taken)
    assert.deepEqual((await imagePublish.run(hands, dataOf(target(ONE, true)))).pushed, [ONE])
  })

  test('that succeeds in part fails, and says which registry has it and which not, and moves nothing', async () => {
    const denied = { kind: 'json', value: { error: 'denied: requested access' } } as const
    const hands = testHands(host(['POST docker /images/two.example/api/push', { events: [denied] }]))
    const all = dataOf(target(ONE), target(TWO), target(LATEST, true))
    await assert.rejects(imagePublish.run(hands, all), (error: FairleadError) => {
      assert.ok(PUSH_INCOMPLETE.matches(error))
      assert.match(
        error.message,
        /is in one\.example\/api:1\.2\.0; .*missing in two\.example.*REGISTRY_DENIED.*latest \(left/,
      )
      assert.deepEqual(error.facts, { has: [ONE], left: [LATEST], failed: { [TWO]: 'REGISTRY_DENIED' } })
      return true
    })
    const lines = hands.recorder.shown
    assert.ok(lines.includes('DELETE docker /images/two.example/api:1.2.0'))
    assert.ok(!lines.some(line => line.includes('tag=latest')))
  })

  test('never takes a name of the host from an image that is not of the app', async () => {
    const other = { json: { Id: 'sha256:9', Config: { Labels: {} } } }
    const hands = testHands(host(['GET docker /images/api:1.2.0/json', other]))
    await assert.rejects(imagePublish.run(hands, dataOf(target(ONE))), LOCAL_NAME_TAKEN.matches)
    assert.ok(!hands.recorder.shown.some(line => line.startsWith('POST')))
  })

  test('gives nobody a tag by which images are found by their content, here or in a registry', async () => {
    const data = dataOf(target(`one.example/shop:${TREE}`))
    await assert.rejects(imagePublish.run(testHands([]), data), TAG_RESERVED.matches)
    const named = { ...dataOf(), name: `fairlead/shop:${TREE}` }
    await assert.rejects(imagePublish.run(testHands([]), named), TAG_RESERVED.matches)
  })

  test('asks no registry at a private address that only the repository names, unless the host vouches for it', async () => {
    const inside = '10.1.2.3:5000/api:1.2.0'
    const unvouched = { ...target(inside), isUnvouched: true }
    await assert.rejects(imagePublish.run(testHands(host()), dataOf(unvouched)), { code: 'PRIVATE_ADDRESS' })
    const hands = testHands(host(), { registries: ['10.1.2.3:5000'] })
    assert.deepEqual((await imagePublish.run(hands, dataOf(unvouched))).pushed, [inside])
  })
})

describe('what is published', () => {
  const name = 'api:1.2.0'
  const { mayMove: _, ...one } = target(ONE)

  test('is told with its content and size, and what the name means on the host', async () => {
    const hands = testHands(host(...has(ONE, DIGEST, TREE)))
    assert.deepEqual(await imagePublished.run(hands, { name, references: [one] }), {
      local: null,
      references: [{ reference: ONE, state: 'present', digest: DIGEST, tree: TREE, bytes: 100 }],
      bytes: 100,
    })
  })

  test('is proved only by the digest that was pushed', async () => {
    const wanted = { name, references: [{ ...one, digest: DIGEST }] }
    await imagePublished.run(testHands(host(...has(ONE, DIGEST, TREE))), wanted)
    for (const table of [host(), host(...has(ONE, OTHER, TREE)), host(['GET https://', { status: 500 }])]) {
      await assert.rejects(imagePublished.run(testHands(table), wanted), PUSH_NOT_CONFIRMED.matches)
    }
  })

  test('at a registry that answers nonsense is not known, and nothing else breaks', async () => {
    const nonsense = {
      status: 200,
      headers: { 'docker-content-digest': DIGEST },
      json: { config: 7, layers: 'x' },
    }
    const hands = testHands(host(['GET https://one.example/v2/api/manifests/', nonsense]))
    const { references } = await imagePublished.run(hands, { name, references: [one] })
    assert.deepEqual(references, [{ reference: ONE, state: 'present', digest: DIGEST }])
  })
})
