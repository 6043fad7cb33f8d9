import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EngineFacts, Hands } from './command.ts'
import { LABEL } from './container-data.ts'
import { hostOn } from './engine.ts'
import { engineChoose } from './engine-choose.ts'
import { imageBuild, imageContent } from './image.ts'
import { testHands } from './recorded-hands.test.ts'

const DIGEST = `sha256:${'d'.repeat(64)}`
const TREE = 'a'.repeat(40)
const COMMIT = 'c'.repeat(40)
const registry = { address: 'r.example:5000', username: '', password: '' }

type Table = Parameters<typeof testHands>[0]

const WANTED = {
  ...{ repository: 'shop', commit: COMMIT },
  images: [
    {
      ...{ key: 'shop', context: '.', dockerfile: 'Dockerfile', args: {}, secretNames: [] },
      ...{ repositoryName: 'shop', registry },
    },
  ],
}

describe('an image under a content tag', () => {
  test('is known by the label that its build gave it, and any other image is not it', async () => {
    const tag = (await contentOf(lookAt([]))).tag
    const ours = await contentOf(lookAt([['GET docker /images/', imageOf(tag, [pinned()])]]))
    assert.deepEqual([ours.localImageId, ours.pinned], ['sha256:1', pinned()])
    const theirs = await contentOf(lookAt([['GET docker /images/', imageOf('t-other', [pinned()])]]))
    assert.deepEqual([theirs.localImageId, theirs.pinned], [undefined, undefined])
    assert.equal(theirs.tag, tag)
  })

  test('is built again when what the host or the registry has under it was made from something else', async () => {
    const reference = 'r.example:5000/shop:t-1'
    const data = {
      ...{ app: 'shop', repository: 'shop', commit: COMMIT, context: '.', dockerfile: 'Dockerfile' },
      ...{ args: {}, secrets: {}, reference, registries: [], fetch: { registry, digest: DIGEST } },
    }
    const answers = (tree: string): Table => [
      [`GET docker /images/${reference}`, imageOf('t-other', [])],
      ['POST docker /images/create', {}],
      [`GET docker /images/${pinned()}`, imageOf(tree, [pinned()])],
      [`POST docker /images/${pinned()}/tag`, { status: 201 }],
      [`DELETE docker /images/${pinned()}`, {}],
      ['stat', { kind: 'folder' }],
      ['read', { kind: 'file', text: 'FROM scratch\n' }],
      ['image-build', { imageId: 'sha256:2' }],
      ['build', { imageId: 'sha256:2' }],
      ['make-folder /workspace/built', {}],
      ['write /workspace/built/2', {}],
    ]
    const fetched = await imageBuild.run(testHands(answers('t-1')), data)
    assert.deepEqual([fetched.source, fetched.imageId], ['registry', 'sha256:1'])
    const built = await imageBuild.run(testHands(answers('t-other')), data)
    assert.deepEqual([built.source, built.imageId], ['build', 'sha256:2'])
  })
})

describe('a content tag', () => {
  const engine: EngineFacts = { name: 'far', address: 'tcp://far:2376', labels: {} }
  const answered = (Arch: string): Table => [
    ['GET docker /version', { json: { Version: '27', ApiVersion: '1.47', Os: 'linux', Arch } }],
  ]
  const on = (hands: ReturnType<typeof lookAt>, far: EngineFacts): Hands => ({
    ...hands,
    host: hostOn({ ...hands.host, engines: [far] }, { engine: far.name, params: {} }, imageContent),
  })

  test('R39 R40 is of the architecture of the engine that builds, which is asked once', async () => {
    const hands = lookAt(answered('s390x'))
    const far = { ...engine }
    const tags = [await contentOf(on(hands, far)), await contentOf(on(hands, far))].map(({ tag }) => tag)
    assert.equal(hands.recorder.shown.filter(line => line.includes('/version')).length, 1)
    const here = (await contentOf(lookAt([]))).tag
    assert.deepEqual([tags[0] === tags[1], tags[0] === here], [true, false])
  })

  test('is the same for the same architecture, and follows an engine that is another machine by now', async () => {
    const [same, other] = process.arch === 'arm64' ? ['arm64', 'amd64'] : ['amd64', 'arm64']
    const far = { ...engine }
    const here = (await contentOf(lookAt([]))).tag
    assert.equal((await contentOf(on(lookAt(answered(same)), far))).tag, here)
    const choosing = lookAt(answered(other))
    await engineChoose.run(
      { ...choosing, host: { ...choosing.host, engines: [far] } },
      { app: 'shop', wish: 'far' },
    )
    assert.notEqual((await contentOf(on(lookAt([]), far))).tag, here)
  })
})

function pinned(): string {
  return `r.example:5000/shop@${DIGEST}`
}

async function contentOf(hands: Hands) {
  const [found] = (await imageContent.run(hands, WANTED)).images
  assert.ok(found)
  return found
}

function imageOf(tree: string, digests: readonly string[]) {
  return { json: { Id: 'sha256:1', RepoDigests: digests, Config: { Labels: { [LABEL.tree]: tree } } } }
}

/** A commit with a Dockerfile, whose image is in the registry and not on the host. */
function lookAt(others: Table) {
  const ids = [`${TREE} tree`, `${TREE} tree`, `${'b'.repeat(40)} blob`, 'x missing', 'x missing', '']
  return testHands([
    ...others,
    ['git', { stdout: ids.join('\n') }],
    ['GET docker /images/', { status: 404 }],
    ['HEAD https://r.example:5000/', { status: 200, headers: { 'docker-content-digest': DIGEST } }],
  ])
}
