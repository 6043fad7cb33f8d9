import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ObservedContainer } from '#commands/container-data.ts'
import type { ImageContent } from '#commands/image-content.ts'
import { container } from './container.ts'
import { APP_SECRET_MISSING, APP_SETTING_WRONG } from './setting-errors.ts'
import {
  aContainer,
  anInput,
  assertTellable,
  COMMIT,
  commandsOf,
  content,
  DIGEST,
  dataOf,
  type Input,
  PINNED,
  REGISTRY,
  REMOTE,
  settled,
} from './test-container.ts'

describe('a first deployment', () => {
  const plan = container.plan(anInput())

  test('builds, starts, verifies, routes, and tidies up', () => {
    assert.deepEqual(commandsOf(plan), {
      build: ['image.build'],
      push: [],
      apply: ['container.start'],
      verify: ['container.verify'],
      route: ['route.point'],
      watch: [],
      prune: ['image.prune'],
      undo: ['container.remove', 'route.remove'],
    })
    assert.equal(plan.nothingToDo, false)
    assertTellable(plan)
  })

  test('leads the app below the base domain to the new container', () => {
    const data = dataOf(plan.route, 'route.point')
    assert.deepEqual(data.hosts, ['shop.example.org'])
    assert.deepEqual(data.ip, { $result: 'start', field: 'ip' })
  })

  test('leaves nothing when it is undone', () => {
    assert.deepEqual(dataOf(plan.undo, 'container.remove').keep, [])
  })
})

describe('a registry', () => {
  const images = (changes: Partial<ImageContent>) => ({
    ...anInput({ registry: REGISTRY }).found,
    content: { images: [content({ reference: REMOTE, ...changes })] },
  })

  test('gets the new image, whose digest is recorded; the start need not wait for it', () => {
    const plan = container.plan(anInput({ registry: REGISTRY, found: images({ registry: 'missing' }) }))
    assert.deepEqual(commandsOf(plan).push, ['image.push'])
    assert.equal(dataOf(plan.apply, 'container.start').image, REMOTE)
    assert.deepEqual(plan.release.pinned, { $result: 'push', field: 'reference' })
    assertTellable(plan)
  })

  test('that has this content is asked for it instead of a build', () => {
    const found = images({ registry: 'present', registryDigest: DIGEST })
    const plan = container.plan(anInput({ registry: REGISTRY, found }))
    assert.deepEqual(dataOf(plan.build, 'image.build').fetch, { registry: REGISTRY, digest: DIGEST })
    assert.deepEqual(dataOf(plan.apply, 'container.start').image, { $result: 'push', field: 'reference' })
    assertTellable(plan)
  })

  test('gets nothing that it has: no build, no push', () => {
    const found = images({
      registry: 'present',
      registryDigest: DIGEST,
      pinned: PINNED,
      localImageId: 'sha256:1',
    })
    const plan = container.plan(anInput({ registry: REGISTRY, found }))
    assert.deepEqual([commandsOf(plan).build, commandsOf(plan).push], [[], []])
    assert.equal(dataOf(plan.apply, 'container.start').image, PINNED)
  })

  test('that does not answer is no reason to touch what runs', () => {
    const image = content({ reference: REMOTE, registry: 'unknown', localImageId: 'sha256:1' })
    assert.equal(container.plan(settled(anInput({ registry: REGISTRY }), image)).nothingToDo, true)
  })

  test('that lost the image gets it again without a new container', () => {
    const image = content({ reference: REMOTE, registry: 'missing', localImageId: 'sha256:1' })
    const plan = container.plan(settled(anInput({ registry: REGISTRY }), image))
    assert.deepEqual([commandsOf(plan).push, commandsOf(plan).apply], [['image.push'], []])
  })
})

describe('a replacement', () => {
  const old = aContainer()
  const route = { hosts: ['shop.example.org'], port: 8080, ip: old.ip, deployment: old.deployment }
  const found = {
    content: { images: [content({})] },
    containers: { containers: [old] },
    routes: { routes: { shop: route } },
  }

  test('drains and removes the old container last, and goes back to it when undone', () => {
    const plan = container.plan(anInput({ found, settings: { port: 8080, drain: '7s' } }))
    assert.deepEqual(commandsOf(plan).prune, ['container.remove', 'image.prune'])
    const { keep, drainMs } = dataOf(plan.prune, 'container.remove')
    assert.deepEqual({ keep, drainMs }, { keep: [anInput().deployment], drainMs: 7000 })
    assert.deepEqual(commandsOf(plan).undo, ['route.point', 'container.remove'])
    assert.equal(dataOf(plan.undo, 'route.point').deployment, 'old')
    assert.deepEqual(dataOf(plan.undo, 'container.remove').keep, ['old'])
    assertTellable(plan)
  })

  test('is watched for the settle time before the old container goes, and drained when it is taken back', () => {
    const settings = { port: 8080, verify: { settle: '30s' }, drain: '7s' }
    const plan = container.plan(anInput({ found, settings }))
    const { containers, forMs } = dataOf(plan.watch, 'container.watch')
    assert.deepEqual([containers, forMs], [[{ $result: 'verify', field: 'container' }], 30_000])
    assert.equal(dataOf(plan.undo, 'container.remove').drainMs, 7_000)
    assert.deepEqual(commandsOf(container.plan(anInput({ found }))).watch, [])
  })

  test('with a host port starts the old container again before requests go back to it', () => {
    const settings = { port: 8080, domain: 'shop.example.org', ports: [{ host: 21_883, container: 1883 }] }
    const plan = container.plan(anInput({ found, settings }))
    assert.deepEqual(commandsOf(plan).undo, ['container.remove', 'route.point'])
    assert.equal(dataOf(plan.undo, 'container.remove').serving, 'remove')
    assertTellable(plan)
  })

  test('says which environment keys change and never a value', () => {
    const before = container.plan(
      anInput({
        settings: { port: 8080, environment: { KEPT: 'same', OLD: '1', KEY: '$TOKEN' } },
        secrets: { TOKEN: 'hush-hush' },
      }),
    )
    const previous = { id: 'r', commit: COMMIT, configHash: 'x', content: before.release }
    const settings = { port: 8080, environment: { KEPT: 'same', NEW: 'n3w-value', KEY: '$OTHER' } }
    const plan = container.plan(anInput({ found, previous, settings, secrets: { OTHER: 'hush-hush' } }))
    const environment = plan.changes.filter(change => change.kind === 'environment')
    assert.deepEqual(
      environment.map(({ what, why }) => `${what} ${why}`),
      ['KEY changed', 'NEW added', 'OLD removed'],
    )
    assert.doesNotMatch(JSON.stringify([plan.changes, plan.release]), /hush-hush|n3w-value/)
  })

  test('names leftovers of interrupted deployments and removes them', () => {
    const lost = aContainer({
      name: 'shop-lost',
      deployment: 'lost',
      serving: false,
      startedAt: '2026-11-20T11:00:00Z',
    })
    const plan = container.plan(anInput({ found: { ...found, containers: { containers: [lost, old] } } }))
    assert.deepEqual(
      plan.changes.filter(change => change.kind === 'remove').map(change => change.what),
      ['shop-lost'],
    )
  })
})

describe('nothing to do', () => {
  const apps: readonly (readonly [string, Partial<Input>])[] = [
    ['a routed app', {}],
    ['an app without a route', { settings: { domains: [] } }],
    ['an app with secrets', { settings: { port: 80, environment: { A: '$B' } }, secrets: { B: 'x' } }],
  ]
  for (const [what, changes] of apps) {
    test(`is the plan for ${what} that runs as wanted`, () => {
      const plan = container.plan(settled(anInput(changes)))
      assert.equal(plan.nothingToDo, true)
      assert.deepEqual(Object.values(commandsOf(plan)).flat(), [])
    })
  }

  test('is asked through the proxy, and only when all else is as wanted', () => {
    const input = settled(anInput({ settings: { port: 8080, verify: { http: '/ready', status: 204 } } }))
    const asked = container.look(input)
    assert.deepEqual(dataOf(asked, 'route.verify').routes, [
      {
        ...{ name: 'shop', hosts: ['shop.example.org'], port: 8080, ip: '10.1.0.16' },
        probe: { path: '/ready', expect: [204] },
      },
    ])
    assert.ok(!container.look(anInput()).some(tell => tell.command === 'route.verify'))
    assert.ok(!container.look({ ...input, found: {} }).some(tell => tell.command === 'route.verify'))
  })

  test('is not the plan for a container that visitors do not reach: it is made anew', () => {
    const input = settled(anInput())
    const answers = { routes: { shop: { fault: 'status 502', answers: [], tls: [] } } }
    const plan = container.plan({ ...input, found: { ...input.found, answers } })
    assert.deepEqual(commandsOf(plan).apply, ['container.start'])
    assert.equal(dataOf(plan.apply, 'container.start').previous, 'old')
    assert.ok(plan.changes.some(({ kind, why }) => kind === 'recreate' && why === 'status 502'))
  })

  for (const [what, change] of [
    ['unhealthy', { health: 'unhealthy' }],
    ['not known to be healthy yet', { health: 'starting' }],
    ['stopped', { state: 'exited' }],
    ['made from other settings', { configHash: 'other' }],
  ] as const) {
    test(`is not the plan for a container that is ${what}`, () => {
      const input = settled(anInput())
      const { containers } = input.found as { containers: { containers: ObservedContainer[] } }
      const found = {
        ...input.found,
        containers: { containers: containers.containers.map(each => ({ ...each, ...change })) },
      }
      assert.deepEqual(commandsOf(container.plan({ ...input, found })).apply, ['container.start'])
    })
  }

  test('but a new domain is a change of the route alone', () => {
    const input = settled(anInput())
    const plan = container.plan({ ...input, settings: { port: 8080, domain: 'Neu.example.org' } })
    assert.deepEqual(commandsOf(plan), {
      ...commandsOf(plan),
      build: [],
      apply: [],
      route: ['route.point'],
      watch: [],
      prune: [],
    })
    const { ip, hosts, deployment } = dataOf(plan.route, 'route.point')
    assert.deepEqual(
      { ip, hosts, deployment },
      { ip: '10.1.0.16', hosts: ['neu.example.org'], deployment: 'old' },
    )
  })

  test('and another health path is a change: nobody saw the app answer it', () => {
    const before = settled(anInput())
    const settings = { port: 8080, health: { http: '/healthz' } }
    assert.deepEqual(commandsOf(container.plan({ ...before, settings })).apply, ['container.start'])
  })

  test('and a rotated secret is a change', () => {
    const before = settled(anInput({ settings: { port: 80, environment: { A: '$B' } }, secrets: { B: 'x' } }))
    assert.equal(container.plan({ ...before, secrets: { B: 'y' } }).nothingToDo, false)
  })
})

describe('settings', () => {
  test('the port is what the Dockerfile exposes when none is set', () => {
    const source = {
      ...anInput().source,
      texts: { Dockerfile: 'FROM a AS b\nEXPOSE 1\nFROM c\nEXPOSE $X 3000/tcp 80' },
    }
    const plan = container.plan(anInput({ settings: {}, source }))
    assert.equal(dataOf(plan.apply, 'container.start').port, 3000)
    assert.deepEqual(container.detect(source), { port: 3000 })
  })

  test('a checkout without a Dockerfile at its root is not of this target', () => {
    assert.equal(container.detect({ ...anInput().source, paths: ['api/Dockerfile'] }), undefined)
  })

  test('the stage is what is asked for and built', () => {
    const input = anInput({ settings: { port: 80, stage: 'web' } })
    const { images } = dataOf(container.look(input), 'image.content') as { images: { target?: string }[] }
    assert.deepEqual(
      images.map(image => image.target),
      ['web'],
    )
    const plan = container.plan(input)
    assert.equal(dataOf(plan.build, 'image.build').target, 'web')
    assertTellable(plan)
  })

  test('a published port alone is not routed', () => {
    const plan = container.plan(anInput({ settings: { ports: [{ host: 21_883, container: 1883 }] } }))
    assert.deepEqual([plan.route, commandsOf(plan).undo], [[], ['container.remove']])
    assert.deepEqual(container.domains({ ports: [{ host: 1, container: 1 }] }, anInput().app), [])
  })

  test('R01 a secret in a build argument is refused: it would stay in the image', () => {
    const settings = { args: { TOKEN: '$TOKEN' } }
    assert.throws(
      () => container.plan(anInput({ settings, secrets: { TOKEN: 'x' } })),
      APP_SETTING_WRONG.matches,
    )
  })

  test('a secret without a value stops before anything is done, and two dollar signs are one', () => {
    const settings = { port: 80, environment: { A: '$MISSING' } }
    assert.throws(() => container.look(anInput({ settings })), APP_SECRET_MISSING.matches)
    const plan = container.plan(
      anInput({ settings: { port: 80, environment: { A: '$$HOME', N: 1, B: true } } }),
    )
    assert.deepEqual(dataOf(plan.apply, 'container.start').environment, { A: '$HOME', B: 'true', N: '1' })
  })

  for (const [what, settings] of [
    ['a domain without a port', { domain: 'a.example.org' }],
    ['a health path without a port', { health: { http: '/' } }],
    ['a path for visitors of an app without any', { verify: { http: '/' } }],
    ['too little memory', { memory: '1m' }],
    ['a health time longer than the step', { port: 1, health: { within: '2h' } }],
  ] as const) {
    test(`${what} is refused in words`, () => {
      assert.throws(() => container.plan(anInput({ settings })), APP_SETTING_WRONG.matches)
    })
  }
})

test('removing an app leaves neither containers nor images nor a route', () => {
  const tells = container.remove({ app: anInput().app, volumes: 'delete' })
  assert.deepEqual(
    tells.map(tell => tell.command),
    ['container.remove', 'image.prune', 'route.remove'],
  )
  assert.equal(dataOf(tells, 'container.remove').volumes, 'delete')
})

test('a plan tells the image, the nameless volumes and the routes that change, and no route that stays', () => {
  const route = { hosts: ['shop.example.org'], port: 8080, ip: '10.1.0.16', deployment: 'old' }
  const found = (changes: object) => ({
    content: { images: [content({})] },
    containers: { containers: [aContainer({ ownVolumes: true })] },
    routes: { routes: { shop: { ...route, ...changes } } },
  })
  const told = (changes: object) =>
    container
      .plan(anInput({ found: found(changes) }))
      .changes.filter(({ kind }) => ['image', 'delete-volume', 'route'].includes(kind))
  assert.deepEqual(told({}), [
    { kind: 'image', what: 'shop', from: 'sha256:eeeeeeeeeeee', to: 'will be built' },
    { kind: 'delete-volume', what: 'volumes without a name of shop-0000000a' },
  ])
  assert.deepEqual(told({ hosts: ['old.example.org'] }).slice(2), [
    { kind: 'route', what: 'shop.example.org', why: 'to port 8080' },
    { kind: 'route', what: 'old.example.org', why: 'no longer' },
  ])
})
