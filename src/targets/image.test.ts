import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { imageBuild, imageFetch, imagePrune, imagePublish, imagePublished } from '#commands/image.ts'
import type { ImageContent } from '#commands/image-content.ts'
import { TAG_RESERVED, VERSION_EXISTS } from '#commands/image-publish-errors.ts'
import { problemsOf } from '#lib/check.ts'
import { NO_REGISTRY, SERVICE_NAME_DIFFERS, VERSION_REFUSED, VERSION_UNKNOWN } from './artifact-errors.ts'
import { image } from './image.ts'
import { APP_SECRET_MISSING, APP_SETTING_WRONG } from './setting-errors.ts'
import type { Plan, PlanInput, ReleaseFacts, Tell } from './target.ts'
import { readVersionFile } from './version-file.ts'

const COMMIT = 'c'.repeat(40)
const TREE = `t-${'1'.repeat(32)}`
const DIGEST = `sha256:${'d'.repeat(64)}`
const OTHER = `sha256:${'e'.repeat(64)}`
const ID = `sha256:${'1'.repeat(64)}`
const REGISTRY = { address: 'registry.example:5000', username: 'ada', password: 'lovelace' }
const HERE = 'registry.example:5000/api:1.2.0'

type Input = PlanInput<Record<string, unknown>>
interface Changes extends Partial<Omit<Input, 'found'>> {
  readonly found?: Partial<Record<'content' | 'published' | 'tags' | 'image', unknown>>
}

describe('a version', () => {
  test('R88 R96 is built under its exact name, pushed where it is missing, and proved there', () => {
    const plan = planOf()
    assert.deepEqual(
      [plan.build, plan.push, plan.verify, plan.prune].map(tells => tells.map(tell => tell.command)),
      [['image.build'], ['image.publish'], ['image.published'], ['image.prune']],
    )
    assert.deepEqual([plan.apply, plan.route, plan.undo], [[], [], []])
    const data = plan.push[0]?.data as { name: string; references: { reference: string; mayMove: boolean }[] }
    assert.equal(data.name, 'api:1.2.0')
    assert.deepEqual(
      data.references.map(({ reference, mayMove }) => [reference, mayMove]),
      [[HERE, false]],
    )
    assertTellable(plan)
  })

  test('R55 gets its name on the host alone where the images alone are asked for', () => {
    const { named = [] } = planOf()
    assert.deepEqual(
      named.map(({ command, data }) => [command, data.name, data.references]),
      [['image.publish', 'api:1.2.0', []]],
    )
  })

  test('that every registry has with this content is nothing to do', () => {
    const plan = planOf({ found: { published: published({ state: 'present', digest: DIGEST, tree: TREE }) } })
    assert.equal(plan.nothingToDo, true)
    assert.deepEqual(plan.release.references, { [HERE]: DIGEST })
  })

  test('is known again by the digest that was pushed, at a registry that tells no labels', () => {
    const previous = release({ tree: TREE, references: { [HERE]: DIGEST } })
    const found = { published: published({ state: 'present', digest: DIGEST }) }
    assert.equal(planOf({ previous, found }).nothingToDo, true)
    assert.throws(() => planOf({ found }), VERSION_EXISTS.matches)
  })

  test('that exists with another content is refused before anything is built, unless the app overwrites', () => {
    const found = { published: published({ state: 'present', digest: OTHER, tree: 't-other' }) }
    assert.throws(() => planOf({ found }), VERSION_EXISTS.matches)
    const plan = planOf({ found, settings: { version: '1.2.0', overwrite: true } })
    assert.equal(plan.push.length, 1)
    assert.ok(plan.changes.some(({ kind, from }) => kind === 'push' && from === 'sha256:eeeeeeeeeeee'))
  })

  test('moves "latest" and tags without a version, and nothing else', () => {
    const push = [
      'r.example/{name}:{version}',
      'r.example/{name}',
      'r.example/{name}:latest',
      'r.example/x:stable',
    ]
    const moving = (settings: object) =>
      (planOf({ settings: { version: '1', push, ...settings }, found: { published: NOWHERE } }).push[0]?.data
        .references ?? []) as readonly { reference: string; mayMove: boolean }[]
    assert.throws(() => moving({}), APP_SETTING_WRONG.matches, 'twice')
    push.shift()
    assert.deepEqual(
      moving({}).map(({ reference, mayMove }) => [reference, mayMove]),
      [
        ['r.example/api:1', false],
        ['r.example/api:latest', true],
        ['r.example/x:stable', true],
      ],
    )
  })

  test('is never a tag by which images are found by their content, nor one that belongs to an image', () => {
    const notebooks = [`t-${'1'.repeat(24)}`, `e-${'1'.repeat(24)}`]
    for (const tag of [TREE, ...notebooks, `sha256-${'1'.repeat(64)}`, `sha256-${'1'.repeat(64)}.sbom`]) {
      assert.throws(() => planOf({ settings: { version: tag, push: [] } }), TAG_RESERVED.matches, tag)
      const push = [`${REGISTRY.address}/shop:${tag}`]
      assert.throws(() => planOf({ settings: { version: '1', push } }), TAG_RESERVED.matches, tag)
    }
    assert.equal(planOf({ settings: { version: 't-1' } }).push.length, 1)
  })

  test('that one registry has is fetched from there for the others: a second build has another digest', () => {
    const push = ['one.example/api:{version}', 'two.example/api:{version}']
    const found = {
      published: {
        local: null,
        bytes: null,
        references: [
          { reference: 'one.example/api:1.2.0', state: 'present', digest: DIGEST, tree: TREE },
          { reference: 'two.example/api:1.2.0', state: 'missing' },
        ],
      },
    }
    const plan = planOf({ settings: { version: '1.2.0', push }, found })
    const fetch = plan.build[0]?.data.fetch as { name: string; digest: string } | undefined
    assert.deepEqual([fetch?.name, fetch?.digest], ['one.example/api', DIGEST])
    assertTellable(plan)
  })

  test('stays on the host when it is pushed nowhere, and needs a registry otherwise', () => {
    const settings = { version: '1.2.0', push: [] }
    const plan = planOf({ settings, registry: undefined, found: { published: NOWHERE } })
    assert.deepEqual(plan.push[0]?.data.references, [])
    const local = { local: { imageId: ID, app: 'api' }, references: [], bytes: null }
    const content = { images: [contentOf({ localImageId: ID })] }
    const found = { published: local, content }
    assert.equal(planOf({ settings, registry: undefined, found }).nothingToDo, true)
    assert.throws(() => planOf({ registry: undefined }), NO_REGISTRY.matches)
  })

  test('does not take the name of an image that is not of the app', () => {
    const found = { published: { ...published({ state: 'missing' }), local: { imageId: OTHER, app: null } } }
    assert.throws(() => planOf({ found }), { code: 'LOCAL_NAME_TAKEN' })
  })

  test('that is brought back is fetched by its digest and pushed where it is missing', () => {
    const goal = release({ tree: TREE, references: { [HERE]: DIGEST }, imageId: ID })
    const found = {
      image: { images: [{ key: 'api', reference: 'api:1.2.0', isNamed: false, registry: 'present' }] },
    }
    const plan = planOf({ goal, settings: { version: { from: 'commit' } }, found })
    assert.deepEqual(
      [...plan.build, ...plan.push].map(tell => tell.command),
      ['image.fetch', 'image.publish'],
    )
    assert.equal(plan.build[0]?.data.pinned, `registry.example:5000/api@${DIGEST}`)
    assertTellable(plan)
  })
})

describe('the version', () => {
  const versionIn = (changes: Changes) => String(planOf(changes).release.version)

  test('R90 comes from the request, a tag, a file of the tree, the commit or a text; the request wins', () => {
    const from = (where: string) => ({ settings: { version: { from: where } } })
    assert.equal(versionIn({ settings: {} }), 'c'.repeat(12))
    assert.equal(versionIn({ settings: { version: 'stable-7' } }), 'stable-7')
    assert.equal(versionIn({ ...from('request'), wanted: { version: '3.0' } }), '3.0')
    assert.equal(versionIn({ settings: { version: '1' }, wanted: { version: '3.0' } }), '3.0')
    const tags = { tags: ['latest', 'v1.9.0', 'v1.10.0'] }
    assert.equal(versionIn({ ...from('tag'), found: { tags } }), 'v1.10.0')
    const released = { tags: ['v1.0.0-rc.1', 'v1.0.0', 'v1.0.0-rc.2'] }
    assert.equal(versionIn({ ...from('tag'), found: { tags: released } }), 'v1.0.0')
    const texts = { 'api/package.json': '{"name":"x","version":"4.5.6"}' }
    assert.equal(versionIn({ ...from('./api/package.json'), source: sourceWith(texts) }), '4.5.6')
    assert.throws(() => versionIn(from('request')), VERSION_UNKNOWN.matches)
    assert.throws(() => versionIn(from('VERSION')), VERSION_UNKNOWN.matches)
    assert.throws(() => versionIn(from('../VERSION')), APP_SETTING_WRONG.matches)
  })

  test('R90 and the name of the service come from one file', () => {
    const texts = { 'service.yaml': 'service_name: team/orders\nversion: 1.10\n' }
    const input = { settings: { version: { from: 'service.yaml' } }, source: sourceWith(texts) }
    assert.equal(planOf(input).release.image, 'team/orders:1.10')
    const wanted = { version: '1', serviceName: 'payments' }
    assert.throws(() => planOf({ ...input, wanted }), SERVICE_NAME_DIFFERS.matches)
  })

  test('is read from every common file', () => {
    for (const [path, text, version] of [
      ['package.json', '{"version":"1.0.0"}', '1.0.0'],
      ['pyproject.toml', '[build-system]\nrequires = []\n[project]\nname = "x"\nversion = "1.1"\n', '1.1'],
      ['pyproject.toml', '[tool.poetry]\nversion = "1.2"', '1.2'],
      ['Cargo.toml', '[package]\nversion = "0.3.0"\n[dependencies]\nserde = { version = "9" }', '0.3.0'],
      ['gradle.properties', '# it\nversion = 2.1-rc.1\n', '2.1-rc.1'],
      ['VERSION', '\n7\n', '7'],
      ['artifact.json', '{"service_name":"a","version":7}', undefined],
      ['package.json', '{', undefined],
      ['x.yaml', 'a: [', undefined],
      ['x.toml', 'a = [', undefined],
      ['VERSION', 'one\ntwo', undefined],
    ] as const) {
      assert.equal(readVersionFile(path, text).version, version, path)
    }
  })

  test('C35 that cannot be a tag is refused with what to do', () => {
    for (const version of [
      '1.0+build',
      '-rf',
      '.hidden',
      'a'.repeat(129),
      '$(id)',
      'a/b',
      '1.0 beta',
      'é',
      '1\n2',
    ]) {
      assert.throws(() => versionIn({ wanted: { version } }), VERSION_REFUSED.matches, version)
    }
    assert.equal(versionIn({ wanted: { version: 'a'.repeat(128) } }).length, 128)
  })

  test('of an untagged commit is none: the app is not affected', () => {
    const plan = planOf({ settings: { version: { from: 'tag' } }, found: { tags: { tags: [] } } })
    assert.match(plan.unaffected ?? '', /has no tag/)
    assert.deepEqual(plan.push, [])
  })
})

test('C35 references that no registry would take are refused', () => {
  for (const reference of [
    'api:{version}',
    'R.example/API:1',
    'r.example/a@sha256:short',
    'r.example/a:$(id)',
    'r.example/../x:1',
    'r.example/{host}:1',
  ]) {
    assert.throws(() => planOf({ settings: { push: [reference] } }), APP_SETTING_WRONG.matches, reference)
  }
  for (const name of ['localhost/x', 'registry.example/x', 'r:5000/x']) {
    assert.throws(() => planOf({ settings: { name } }), APP_SETTING_WRONG.matches, name)
  }
})

test('R96 a registry of its own gets the password from the secrets of the app', () => {
  const entry = {
    reference: 'ghcr.io/ada/api:{version}-{commit}',
    username: 'ada',
    password: '$GHCR',
    ca: '$CA',
  }
  const settings = { version: '1', push: [entry] }
  const plan = planOf({ settings, secrets: { GHCR: 'pw', CA: 'PEM' }, found: { published: NOWHERE } })
  assert.deepEqual(plan.push[0]?.data.references, [
    {
      reference: `ghcr.io/ada/api:1-${'c'.repeat(12)}`,
      registry: { address: 'ghcr.io', username: 'ada', password: 'pw', ca: 'PEM' },
      isUnvouched: true,
      mayMove: false,
    },
  ])
  assert.throws(() => planOf({ settings }), APP_SECRET_MISSING.matches)
  assert.ok(problemsOf(image.settings, { push: [{ ...entry, password: 'in the open' }] }).length > 0)
})

test('the worker is asked for content and registries at once, and for the tags first where they say the version', () => {
  const keys = (changes: Changes) =>
    image
      .look({ ...anInput(changes), found: (changes.found ?? {}) as Record<string, unknown> })
      .map(tell => tell.key)
  assert.deepEqual(keys({}), ['content', 'published'])
  const tags: Tell = { key: 'tags', command: 'repository.tags', data: {} }
  const settings = { version: { from: 'tag' } }
  assert.deepEqual(keys({ settings, tags }), ['tags', 'content'])
  assert.deepEqual(keys({ settings, tags, found: { tags: { tags: ['v1'] } } }), ['content', 'published'])
  assert.deepEqual(keys({ settings, tags, wanted: { version: '1' } }), ['content', 'published'])
})

test('a release tells the artefact, with its digests', () => {
  const { content } = release({ tree: TREE, references: { [HERE]: DIGEST }, imageId: ID })
  assert.deepEqual(image.artifact?.({ content }), {
    serviceName: 'api',
    version: '1.2.0',
    image: 'api:1.2.0',
    imageId: ID,
    references: { [HERE]: DIGEST },
    bytes: undefined,
  })
  const [one] = image.images({ id: 'r', commit: COMMIT, configHash: '', content })
  assert.equal(one?.pinned, `registry.example:5000/api@${DIGEST}`)
  assert.deepEqual(image.images({ id: 'r', commit: COMMIT, configHash: '', content: {} }), [])
})

const NOWHERE = { local: null, references: [], bytes: null }

function published(answer: object) {
  return { local: null, references: [{ reference: HERE, ...answer }], bytes: null }
}

function contentOf(changes: Partial<ImageContent> = {}): ImageContent {
  return { key: 'api', tag: TREE, reference: `fairlead/api:${TREE}`, registry: 'none', ...changes }
}

function sourceWith(texts: Readonly<Record<string, string>>): Input['source'] {
  return { commit: COMMIT, branch: 'main', repository: 'r1', texts, paths: Object.keys(texts) }
}

function anInput({ found, ...changes }: Changes): Input {
  return {
    app: { name: 'api', baseDomain: 'example.org' },
    settings: { version: '1.2.0' },
    deployment: '01990000-0000-7000-8000-00000000000b',
    source: sourceWith({}),
    registry: REGISTRY,
    secrets: {},
    previous: undefined,
    ...changes,
    found: {
      ...(changes.goal ? {} : { content: { images: [contentOf()] } }),
      published: published({ state: 'missing' }),
      ...found,
    },
  }
}

function planOf(changes: Changes = {}): Plan {
  return image.plan(anInput(changes))
}

function release(content: Record<string, unknown>): ReleaseFacts {
  const made = { service_name: 'api', version: '1.2.0', image: 'api:1.2.0', ...content }
  return { id: 'r0', commit: COMMIT, configHash: '', content: made }
}

/** Every command of the plan accepts its data, once results are filled in. */
function assertTellable(plan: Plan): void {
  const commands = [imageBuild, imageFetch, imagePrune, imagePublish, imagePublished]
  for (const { command, data } of [...plan.build, ...plan.push, ...plan.verify, ...plan.prune]) {
    const known = commands.find(({ name }) => name === command)
    const filled = JSON.parse(JSON.stringify(data), (_key, value) => (value?.$result ? DIGEST : value))
    assert.ok(known, command)
    assert.deepEqual(problemsOf(known.data, filled), [], command)
  }
}
