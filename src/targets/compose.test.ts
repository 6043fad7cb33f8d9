import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compose } from './compose.ts'
import { COMPOSE_SECRET_MISSING, COMPOSE_SETTINGS_WRONG } from './compose-errors.ts'
import type { ComposeSettings } from './compose-settings.ts'
import {
  type AnyInput,
  anInput,
  assertTellable,
  commands,
  DB_HASH,
  DIGEST,
  everyTell,
  FILE,
  LIVE,
  plan,
  REGISTRY,
  type World,
} from './test-compose.ts'

describe('the compose target', () => {
  for (const file of ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml']) {
    test(`sees ${file} and leads the app's address to the first service that may speak HTTP`, () => {
      const source = { ...anInput().source, paths: ['README.md', file], texts: { [file]: FILE } }
      assert.deepEqual(compose.detect(source), { files: [file], routes: [{ service: 'web', port: 80 }] })
    })
  }

  test('sees nothing in a checkout without one of them at the root', () => {
    const source = { ...anInput().source, paths: ['deploy/compose.yaml'], texts: {} }
    assert.equal(compose.detect(source), undefined)
  })

  test('claims the domains that are written, else names made from the app and the service', () => {
    const settings: ComposeSettings = {
      routes: [
        { service: 'web', port: 80 },
        { service: 'api_v2', port: 81 },
        { service: 'docs', port: 82, domain: 'Docs.Example.net' },
      ],
    }
    const app = { name: 'shop', baseDomain: 'example.org' }
    assert.deepEqual(compose.domains(settings, app), [
      'shop.example.org',
      'api-v2-shop.example.org',
      'docs.example.net',
    ])
    assert.deepEqual(compose.domains({}, app), ['shop.example.org'])
    assert.deepEqual(compose.domains({ routes: [] }, app), [])
  })

  test('asks for images only after it knows which services are built', () => {
    const input = anInput() as AnyInput
    const first = compose.look({ ...input, found: {} })
    assert.deepEqual(commands(first), [
      'render: compose.render',
      'containers: compose.observe',
      'routes: route.observe',
    ])
    assert.deepEqual(first[0]?.data.variables, { MODE: 'prod', PRICE: '$5' })
    assert.deepEqual(first[0]?.data.secrets, { NPM_TOKEN: 'npm-secret-value' })
    const { images: _, ...rendered } = input.found
    const then = compose.look({ ...input, found: rendered })
    assert.deepEqual(commands(then), [...commands(first), 'images: image.content'])
    const images = then[3]?.data.images as readonly object[] | undefined
    assert.deepEqual(images?.[0], {
      key: 'web',
      context: '.',
      dockerfile: 'Dockerfile',
      args: { MODE: 'prod' },
      secretNames: ['npm'],
      repositoryName: 'shop-web',
    })
    assertTellable(then)
  })

  test('wants values for the secrets it names', () => {
    const input = { ...anInput(), secrets: {}, found: {} } as AnyInput
    assert.throws(() => compose.look(input), COMPOSE_SECRET_MISSING.matches)
  })

  test('leads one route to a service', () => {
    const routes = [
      { service: 'web', port: 80 },
      { service: 'web', port: 81 },
    ]
    assert.throws(
      () => compose.domains({ routes }, { name: 'a', baseDomain: 'b' }),
      COMPOSE_SETTINGS_WRONG.matches,
    )
  })
})

describe('the plan of a Compose project', () => {
  test('of a first deployment builds, starts, verifies and routes; it is undone by taking all down', () => {
    const made = plan({
      web: 'none',
      db: 'none',
      route: null,
      released: false,
      image: { localImageId: undefined } as never,
    })
    assert.deepEqual(commands(made.build), ['build:web: image.build'])
    assert.deepEqual(commands(made.apply), ['up: compose.up'])
    assert.deepEqual(commands(made.verify), ['verify: compose.verify'])
    assert.deepEqual(commands(made.route), ['route:web.shop: route.point'])
    assert.deepEqual(commands(made.undo), ['undo: compose.restore', 'undo-route:web.shop: route.remove'])
    assert.equal(made.undo[0]?.data.render, null)
    assert.deepEqual(made.build[0]?.data.secrets, { npm: 'npm-secret-value' })
    assert.deepEqual(
      made.changes.map(({ kind, what }) => `${kind} ${what}`),
      [
        `build fairlead/shop-web:t-${'1'.repeat(32)}`,
        'add db',
        'add web',
        'open host port 20080 of web',
        'route shop.example.org',
      ],
    )
    assert.equal(made.changes[3]?.why, 'not needed: the route leads to port 80')
    assert.equal(made.nothingToDo, false)
  })

  test('of what runs already does nothing', () => {
    const made = plan()
    assert.deepEqual([made.nothingToDo, everyTell(made)], [true, []])
    assert.deepEqual(
      made.changes.map(each => each.kind),
      ['untouched', 'untouched'],
    )
    assert.equal(made.release.render, LIVE)
  })

  test('names what is made anew and why, dependents too', () => {
    const made = plan({ db: { configHash: 'other' } })
    assert.deepEqual(made.changes.slice(0, 2), [
      { kind: 'recreate', what: 'db', why: 'its configuration or image changed' },
      { kind: 'recreate', what: 'web', why: 'a service that it depends on is made anew' },
    ])
    assert.equal(made.undo[0]?.data.render, LIVE)
  })

  test('removes services that are no longer in the files', () => {
    const made = plan({ orphan: true })
    assert.deepEqual(made.changes.find(each => each.kind === 'remove')?.what, 'shop-old-1')
    assert.deepEqual(commands(made.apply), ['up: compose.up'])
  })

  test('repairs what does not run, is ill, outdated, or not where the proxy looks for it', () => {
    for (const web of [
      { state: 'exited', exitCode: 1 },
      // Visitors are led to it: ended is ended, whatever its exit code.
      { state: 'exited', exitCode: 0 },
      { health: 'unhealthy' },
      { currentImageId: 'sha256:new' },
      { ip: '' },
    ] as const) {
      assert.deepEqual(commands(plan({ web }).apply), ['up: compose.up'], JSON.stringify(web))
    }
    assert.equal(plan({ db: { state: 'exited', exitCode: 0 } }).nothingToDo, true)
  })

  test('pushes what the registry does not have and fetches what it has', () => {
    const missing = plan({ registry: REGISTRY, image: { registry: 'missing' } })
    assert.deepEqual(commands(missing.push), ['push:web: image.push'])
    const present = plan({
      registry: REGISTRY,
      web: 'none',
      image: { registry: 'present', registryDigest: DIGEST, localImageId: undefined } as never,
    })
    assert.deepEqual(present.build[0]?.data.fetch, { registry: REGISTRY, digest: DIGEST })
    const unknown = plan({ registry: REGISTRY, image: { registry: 'unknown' } })
    assert.equal(unknown.nothingToDo, true)
  })

  test('changes only the route when only the route changed, and can go back', () => {
    const made = plan({ route: { hosts: ['old.example.org'], port: 80, ip: '10.1.0.32', deployment: 'old' } })
    assert.deepEqual([made.apply, commands(made.route)], [[], ['route:web.shop: route.point']])
    assert.deepEqual(
      made.undo.map(each => each.data.hosts),
      [['old.example.org']],
    )
  })

  test('watches what was verified for the settle time, and nothing when none is wanted', () => {
    const settings = { routes: [{ service: 'web', port: 80 }], verify: { settle: '30s' } }
    const [watch] = plan({ web: 'none', settings }).watch
    assert.deepEqual(watch?.data, {
      app: 'shop',
      containers: { $result: 'verify', field: 'containers' },
      mayComplete: ['db'],
      forMs: 30_000,
    })
    assert.deepEqual(plan({ web: 'none' }).watch, [])
  })

  test('takes away routes that nobody wants any more', () => {
    const made = plan({ settings: { routes: [] } })
    assert.deepEqual(commands(made.route), ['unroute:web.shop: route.remove'])
  })

  test('leaves nothing of an app behind', () => {
    const tells = compose.remove({ app: { name: 'shop', baseDomain: 'x' }, volumes: 'keep' })
    assert.deepEqual(commands(tells), ['down: compose.down', 'images: image.prune'])
  })

  test('is made of commands that exist, with data that they take, and is the same for the same input', () => {
    fc.assert(
      fc.property(aWorld(), world => {
        const made = plan(world)
        assert.deepEqual(plan(world), made)
        assertTellable(everyTell(made))
        const keys = everyTell(made).map(each => each.key)
        assert.equal(new Set(keys).size, keys.length)
        assert.ok(!JSON.stringify([made.changes, made.release]).includes('npm-secret-value'))
      }),
    )
  })

  test('that says "no change" changes nothing, and one that changes something says what', () => {
    fc.assert(
      fc.property(aWorld(), world => {
        const made = plan(world)
        const changing = made.changes.filter(({ kind }) => kind !== 'untouched' && kind !== 'open')
        assert.equal(made.nothingToDo, everyTell(made).length === 0)
        if (made.nothingToDo) {
          assert.deepEqual(changing, [])
        }
      }),
    )
  })
})

/** Projects in any state. */
function aWorld(): fc.Arbitrary<World> {
  const container = fc.oneof(
    fc.constant('none' as const),
    fc.constant({}),
    fc.record(
      {
        configHash: fc.constantFrom('other', DB_HASH),
        state: fc.constantFrom('running', 'exited', 'restarting'),
        exitCode: fc.constantFrom(0, 1),
        health: fc.constantFrom('none', 'starting', 'healthy', 'unhealthy'),
        currentImageId: fc.constantFrom('sha256:web', 'sha256:db', 'sha256:new'),
      },
      { requiredKeys: [] },
    ),
  )
  return fc.record(
    {
      web: container,
      db: container,
      orphan: fc.boolean(),
      old: fc.constantFrom({}, { state: 'exited' }),
      alone: fc.constantFrom([], ['it has a volume']),
      released: fc.boolean(),
      registry: fc.constant(REGISTRY),
      route: fc.constantFrom(null, { hosts: ['old.example.org'], port: 80, ip: '10.1.0.9', deployment: 'o' }),
      image: fc.record(
        {
          registry: fc.constantFrom('none', 'present', 'missing', 'unknown'),
          registryDigest: fc.constant(DIGEST),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<World>
}
