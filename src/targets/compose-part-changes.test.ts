import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compose } from './compose.ts'
import type { Plan } from './target.ts'
import { type AnyInput, anInput, type World } from './test-compose.ts'

/** The plan of a changed world, with changes to what the worker rendered. */
function plan(world: World = {}, render: (rendered: Rendered) => object = () => ({})): Plan {
  const input = anInput(world) as unknown as AnyInput
  const rendered = input.found.render as Rendered
  return compose.plan({ ...input, found: { ...input.found, render: { ...rendered, ...render(rendered) } } })
}

interface Rendered {
  readonly services: Readonly<Record<string, object>>
}

function lines(made: Plan, ...kinds: string[]): string[] {
  return made.changes
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ kind, what, from, to, why }) => [kind, what, from, to, why].filter(Boolean).join(' | '))
}

test('host ports that stay are not told; those that come and go are', () => {
  assert.deepEqual(lines(plan({ web: { configHash: 'other' } }), 'open', 'close'), [])
  const moved = plan({ web: { configHash: 'other', hostPorts: ['20070'] } })
  assert.deepEqual(lines(moved, 'open', 'close'), [
    'open | host port 20080 of web | not needed: the route leads to port 80',
    'close | host port 20070 of web',
  ])
})

test('another image is told as it is and as it will be', () => {
  const id = (digit: string) => `sha256:${digit.repeat(64)}`
  const built = plan({ web: { configHash: 'other', imageId: id('1') }, image: { localImageId: id('2') } })
  assert.deepEqual(lines(built, 'image'), ['image | web | sha256:111111111111 | sha256:222222222222'])
  const unbuilt = plan({
    web: { configHash: 'other', imageId: id('1') },
    image: { localImageId: undefined } as never,
  })
  assert.deepEqual(lines(unbuilt, 'image'), ['image | web | sha256:111111111111 | will be built'])
  const named = plan({ db: { configHash: 'other', image: 'pg:15', imageId: id('1') } })
  assert.ok(lines(named, 'image').includes('image | db | pg:15 | pg:16'))
  const pulled = plan({ db: { image: 'pg:16', imageId: id('1'), currentImageId: id('2') } })
  assert.ok(lines(pulled, 'image').includes('image | db | sha256:111111111111 | sha256:222222222222'))
})

test('volumes without a name that go with their container are told', () => {
  assert.deepEqual(lines(plan({ orphan: true }), 'delete-volume'), [])
  const input = anInput({ orphan: true }) as unknown as AnyInput
  const { containers } = input.found.containers as { containers: { service: string }[] }
  const found = containers.map(each => (each.service === 'old' ? { ...each, ownVolumes: true } : each))
  const made = compose.plan({ ...input, found: { ...input.found, containers: { containers: found } } })
  assert.deepEqual(lines(made, 'delete-volume'), ['delete-volume | volumes without a name of shop-old-1'])
})

test('variables are told as the host compared them, by service and name', () => {
  const environment = [{ service: 'web', name: 'TOKEN', change: 'changed' }]
  assert.deepEqual(
    lines(
      plan({ web: { configHash: 'other' } }, () => ({ environment })),
      'environment',
    ),
    ['environment | TOKEN of web | changed'],
  )
})

test('a route is told when it leads elsewhere, not when its service has a new container', () => {
  assert.deepEqual(lines(plan({ web: { configHash: 'other' } }), 'route'), [])
  const route = { hosts: ['old.example.org'], port: 80, ip: '10.1.0.32', deployment: 'old' }
  assert.deepEqual(lines(plan({ route }), 'route'), [
    'route | shop.example.org | to port 80 of web',
    'route | old.example.org | no longer',
  ])
})
