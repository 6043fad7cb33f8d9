import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  composeDown,
  composeObserve,
  composeRender,
  composeRestore,
  composeUp,
  composeVerify,
} from '#commands/compose.ts'
import type { ComposeContainer } from '#commands/compose-data.ts'
import { deployedHash } from '#commands/compose-model.ts'
import { imageBuild, imageContent, imagePrune, imagePush } from '#commands/image.ts'
import type { ImageContent } from '#commands/image-content.ts'
import { routeObserve, routePoint, routeRemove } from '#commands/route.ts'
import { problemsOf } from '#lib/check.ts'
import { compose } from './compose.ts'
import { COMPOSE_SECRET_MISSING, COMPOSE_SETTINGS_WRONG } from './compose-errors.ts'
import type { ComposeSettings } from './compose-settings.ts'
import type { Plan, PlanInput, Tell } from './target.ts'

const PORTS = [{ published: '20080', target: 80 }]

const COMMIT = 'c'.repeat(40)
const RENDER = 'd'.repeat(64)
const LIVE = 'e'.repeat(64)
const DIGEST = `sha256:${'1'.repeat(64)}`
const REGISTRY = { address: 'registry.example:5000', username: 'ada', password: 'lovelace' }
const FILE = 'services: { db: { image: pg, expose: [5432] }, web: { image: nginx, ports: ["8080:80"] } }'

const COMMANDS = Object.fromEntries(
  [
    ...[composeDown, composeObserve, composeRender, composeRestore, composeUp, composeVerify],
    ...[imageBuild, imageContent, imagePrune, imagePush, routeObserve, routePoint, routeRemove],
  ].map(command => [command.name, command]),
)

type Input = PlanInput<ComposeSettings>
/** As the manager holds it, which knows no target's settings. */
type AnyInput = PlanInput<Record<string, unknown>>

/** Two services: db from a registry, web built here; web has the route. */
interface World {
  readonly web?: Partial<ComposeContainer> | 'none'
  readonly db?: Partial<ComposeContainer> | 'none'
  readonly image?: Partial<ImageContent>
  readonly route?: object | null
  readonly orphan?: boolean
  readonly released?: boolean
  readonly settings?: ComposeSettings
  readonly registry?: typeof REGISTRY
}

const [WEB_HASH, DB_HASH] = ['a'.repeat(64), 'b'.repeat(64)]

function anInput(world: World = {}): Input {
  const registry = world.registry
  const reference = `${registry ? `${registry.address}/` : 'fairlead/'}shop-web:t-${'1'.repeat(32)}`
  const build = {
    context: '.',
    dockerfile: 'Dockerfile',
    args: { MODE: 'prod' },
    secrets: { npm: 'NPM_TOKEN' },
  }
  const containers = [
    ...(world.db === 'none' ? [] : [aContainer('db', DB_HASH, world.db)]),
    ...(world.web === 'none'
      ? []
      : [aContainer('web', deployedHash({ hash: WEB_HASH }, reference), { ip: '10.1.0.32', ...world.web })]),
    ...(world.orphan ? [aContainer('old', DB_HASH)] : []),
  ]
  return {
    app: { name: 'shop', baseDomain: 'example.org' },
    settings: world.settings ?? {
      files: ['compose.yaml'],
      environment: { MODE: 'prod', NPM_TOKEN: '$NPM', PRICE: '$$5' },
      routes: [{ service: 'web', port: 80 }],
    },
    deployment: '01990000-0000-7000-8000-00000000000b',
    source: {
      commit: COMMIT,
      branch: 'main',
      repository: 'r1',
      texts: { 'compose.yaml': FILE },
      paths: ['compose.yaml'],
    },
    found: {
      render: {
        render: RENDER,
        services: {
          web: { hash: WEB_HASH, build, dependsOn: ['db'], replicas: 1, mayComplete: true, ports: PORTS },
          db: { hash: DB_HASH, image: 'pg:16', dependsOn: [], replicas: 1, mayComplete: true, ports: [] },
        },
        routes: [{ service: 'web', port: 80, name: 'web.shop', ip: '10.1.0.32' }],
        findings: [],
        warnings: [],
      },
      containers: { containers },
      images: {
        images: [
          { key: 'web', tag: 't', reference, localImageId: 'sha256:web', registry: 'none', ...world.image },
        ],
      },
      routes: {
        routes: {
          'web.shop':
            world.route === undefined
              ? { hosts: ['shop.example.org'], port: 80, ip: '10.1.0.32', deployment: 'old' }
              : world.route,
        },
      },
    },
    registry,
    secrets: { NPM: 'npm-secret-value' },
    previous:
      world.released === false
        ? undefined
        : {
            id: 'r',
            commit: COMMIT,
            configHash: 'x',
            content: { project: 'shop', render: LIVE, images: {}, routes: ['web.shop'] },
          },
  }
}

function aContainer(
  service: string,
  configHash: string,
  changes: Partial<ComposeContainer> = {},
): ComposeContainer {
  return {
    service,
    id: service.repeat(8),
    name: `shop-${service}-1`,
    state: 'running',
    health: 'none',
    exitCode: 0,
    restarts: 0,
    startedAt: '2026-01-01T00:00:00Z',
    configHash,
    image: service,
    imageId: `sha256:${service}`,
    ...changes,
  }
}

function plan(world: World = {}): Plan {
  return compose.plan(anInput(world) as AnyInput)
}

function commands(tells: readonly Tell[]): string[] {
  return tells.map(tell => `${tell.key}: ${tell.command}`)
}

function everyTell(made: Plan): Tell[] {
  return [made.build, made.push, made.apply, made.verify, made.route, made.prune, made.undo].flat()
}

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
    const then = compose.look(input)
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
    for (const each of then) {
      assert.deepEqual(problemsOf(COMMANDS[each.command]?.data ?? {}, each.data), [], each.key)
    }
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
      ['untouched', 'untouched', 'open'],
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
        for (const each of everyTell(made)) {
          assert.deepEqual(problemsOf(COMMANDS[each.command]?.data ?? {}, each.data), [], each.key)
        }
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
