import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deployedHash } from '#commands/compose-model.ts'
import { commandNamed } from '#commands/index.ts'
import { SWARM_IMAGE_NOT_SHARED } from '#commands/swarm-errors.ts'
import { problemsOf } from '#lib/check.ts'
import { COMPOSE_SETTINGS_WRONG } from './compose-errors.ts'
import { stack } from './stack.ts'
import type { Plan, Tell } from './target.ts'

const HASH = 'a'.repeat(64)
const RENDER = 'b'.repeat(64)
const LIVE = 'e'.repeat(64)
const DIGEST = `sha256:${'1'.repeat(64)}`
const REGISTRY = { address: 'registry.example:5000', username: 'ada', password: 'lovelace' }
const REFERENCE = `registry.example:5000/shop-web:t-${'1'.repeat(32)}`

interface World {
  readonly live?: object | 'none'
  readonly image?: object
  readonly orphan?: boolean
  readonly nodes?: number
  readonly released?: boolean
  readonly settings?: object
  readonly registry?: typeof REGISTRY | undefined
  readonly ports?: readonly number[]
}

/** One service, built here, in a swarm of two. */
function anInput(world: World = {}) {
  const service = {
    ...{ name: 'web', id: 'web-id', version: 7, image: `${REFERENCE.split(':t-')[0]}@${DIGEST}` },
    ...{ configHash: deployedHash({ hash: HASH }, REFERENCE), fingerprint: '~1', replicas: 1, running: 1 },
    ...{ nodes: ['one'], isSettled: true },
  }
  const nodes = Array.from({ length: world.nodes ?? 2 }, (_, at) => ({
    ...{ name: `n${at}`, state: 'ready', availability: 'active' },
  }))
  const ports = (world.ports ?? [8080]).map(published => ({
    ...{ target: 80, published, protocol: 'tcp', mode: 'ingress' },
  }))
  const build = { context: '.', dockerfile: 'Dockerfile', args: {}, secrets: {} }
  return {
    app: { name: 'shop', baseDomain: 'example.org' },
    settings: { environment: { TOKEN: '$TOKEN' }, ...world.settings },
    deployment: 'd',
    source: { commit: 'c'.repeat(40), branch: 'main', repository: 'r', texts: {}, paths: [] },
    found: {
      render: {
        render: RENDER,
        services: { web: { hash: HASH, build, replicas: 1, ports, isBeside: true, volumes: [] } },
        ...{ findings: [], warnings: [] },
      },
      swarm: {
        nodes,
        services: [
          ...(world.live === 'none' ? [] : [{ ...service, ...world.live }]),
          ...(world.orphan ? [{ ...service, name: 'old', id: 'old-id' }] : []),
        ],
      },
      images: {
        images: [
          {
            key: 'web',
            tag: 't',
            reference: REFERENCE,
            registry: 'present',
            registryDigest: DIGEST,
            ...world.image,
          },
        ],
      },
    },
    registry: 'registry' in world ? world.registry : REGISTRY,
    secrets: { TOKEN: 'a-secret-value' },
    previous:
      world.released === false
        ? undefined
        : {
            ...{ id: 'r', commit: 'c'.repeat(40), configHash: 'x' },
            content: {
              stack: 'shop',
              stackRender: LIVE,
              fingerprints: { web: '~1' },
              images: {},
              environment: { TOKEN: '$TOKEN' },
            },
          },
  }
}

function plan(world: World = {}): Plan {
  return stack.plan(anInput(world) as never)
}

function keys(tells: readonly Tell[]): string[] {
  return tells.map(({ key, command }) => `${key}: ${command}`)
}

function kinds({ changes }: Plan): string[] {
  return changes.filter(each => each.kind !== 'open').map(each => `${each.kind} ${each.what}`)
}

describe('a stack', () => {
  test('is left alone when the swarm has what is wanted', () => {
    const made = plan()
    assert.equal(made.nothingToDo, true)
    assert.deepEqual(kinds(made), ['untouched web'])
  })

  for (const [what, world, change, why] of [
    ['is missing', { live: 'none' }, 'add web', /1 tasks/],
    ['is another', { live: { configHash: 'other' } }, 'replace web', /changed; each new task starts beside/],
    ['was changed by hand', { live: { fingerprint: '~2' } }, 'replace web', /by hand/],
    [
      'does not run',
      { live: { isSettled: false, problem: 'a task is pending' } },
      'replace web',
      /\(a task is pending\)/,
    ],
  ] as const) {
    test(`is deployed when a service ${what}, and the plan says why`, () => {
      const made = plan(world)
      assert.equal(made.nothingToDo, false)
      assert.ok(kinds(made).includes(change), kinds(made).join())
      assert.match(made.changes.find(each => each.what === 'web')?.why ?? '', why)
      assert.deepEqual(keys(made.apply), ['up: swarm.deploy'])
    })
  }

  test('is deployed when a service is no longer wanted', () => {
    assert.ok(kinds(plan({ orphan: true })).includes('remove old'))
  })

  test('every command takes the data that the plan gives it, and goes back to the release before', () => {
    const made = plan({
      live: { configHash: 'other' },
      image: { registryDigest: undefined, registry: 'missing' },
    })
    const tells = [made.build, made.push, made.apply, made.verify, made.prune, made.undo].flat()
    assert.deepEqual(keys(tells), [
      ...['build:web: image.build', 'push:web: image.push', 'up: swarm.deploy', 'verify: swarm.verify'],
      ...['tidy: swarm.tidy', 'prune: image.prune', 'undo: swarm.restore'],
    ])
    for (const { key, command, data } of tells) {
      assert.deepEqual(problemsOf(commandNamed(command).data, filled(data)), [], key)
    }
    assert.equal(made.undo[0]?.data.render, LIVE)
    assert.ok(!JSON.stringify([made.release, made.changes]).includes('a-secret-value'))
  })

  test('whose tag has moved runs the new image, and a release says which tags are followed', () => {
    const moved = `pg@sha256:${'7'.repeat(64)}`
    const pinned = `pg@${DIGEST}`
    const input = anInput({ settings: { follow_images: '5m' }, live: { image: pinned, configHash: HASH } })
    const { web } = input.found.render.services
    const { build: _, ...rest } = web
    const render = { ...input.found.render, services: { web: { ...rest, image: 'pg:16' } } }
    const found = { ...input.found, render, images: { images: [] } }
    const followed = { everyMs: 300_000, tags: { web: 'pg:16' } }
    const ports = ['port 8080/tcp of web on every node']
    const content = { ...input.previous?.content, followed, ports, images: { web: pinned } }
    const previous = { id: 'r', commit: 'c', configHash: 'x', content }
    const steady = stack.plan({ ...input, found, previous } as never)
    assert.equal(steady.nothingToDo, true, JSON.stringify(steady.changes))
    const made = stack.plan({ ...input, found, previous, moved: { web: moved } } as never)
    assert.deepEqual(kinds(made), ['replace web', 'image web'])
    assert.deepEqual(made.apply[0]?.data.pins, { web: moved })
    assert.deepEqual(made.release.followed, followed)
    const images = [{ name: 'web', reference: 'pg:16', pinned }]
    assert.deepEqual(stack.follows?.(previous), { everyMs: 300_000, images })
    const local = { ...previous, content: { ...content, images: { web: DIGEST } } }
    assert.deepEqual(stack.follows?.(local)?.images, [])
  })

  test('that never ran is taken away when it fails', () => {
    assert.equal(plan({ released: false, live: 'none' }).undo[0]?.data.render, null)
  })

  test('that a person has stopped is taken away again when its start fails, and its volumes stay', () => {
    const made = stack.plan({ ...anInput({ live: 'none' }), isStopped: true } as never)
    assert.deepEqual(keys(made.undo), ['undo: swarm.down'])
    const { app, volumes, moved } = made.undo[0]?.data ?? {}
    assert.deepEqual({ app, volumes, moved }, { app: 'shop', volumes: 'keep', moved: true })
  })

  test('R42 that has moved keeps on its host what its releases can be brought back from', () => {
    const app = { name: 'shop', baseDomain: 'example.org' }
    const [down] = stack.remove({ app, volumes: 'keep', moved: true })
    assert.deepEqual(down?.data, { app: 'shop', volumes: 'keep', moved: true })
  })

  test('runs what the registry has of this content, without a build', () => {
    const made = plan({ live: 'none' })
    assert.deepEqual([made.build, made.push], [[], []])
    const [up] = made.apply
    assert.equal(
      (up?.data.built as Record<string, string> | undefined)?.web,
      `registry.example:5000/shop-web@${DIGEST}`,
    )
  })

  test('on several nodes wants a registry before anything is built; on one it needs none', () => {
    const world = {
      live: 'none',
      registry: undefined,
      image: { registryDigest: undefined, registry: 'none' },
    } as const
    assert.throws(() => plan(world), SWARM_IMAGE_NOT_SHARED.matches)
    assert.deepEqual(keys(plan({ ...world, nodes: 1 }).push), [])
  })

  test('is asked at the one port that it publishes, and wants to know which of several', () => {
    const settings = { verify: { http: '/up' } }
    const [verify] = plan({ live: 'none', settings }).verify
    assert.deepEqual(verify?.data.asked, {
      port: 8080,
      probe: { path: '/up', expect: { from: 200, to: 399 } },
    })
    assert.throws(() => plan({ settings, ports: [1, 2] }), COMPOSE_SETTINGS_WRONG.matches)
    assert.throws(() => plan({ settings, ports: [] }), COMPOSE_SETTINGS_WRONG.matches)
    assert.throws(() => plan({ settings: { verify: { port: 9 } } }), COMPOSE_SETTINGS_WRONG.matches)
  })
})

/** Puts what a worker would have answered where a result of an earlier command will be. */
function filled(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(filled)
  }
  if (typeof value !== 'object' || value === null) {
    return value
  }
  if ('$result' in value && 'field' in value) {
    return value.field === 'render' ? RENDER : `registry.example:5000/shop-web@${DIGEST}`
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item)]))
}
