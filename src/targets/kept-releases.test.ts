import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compose } from './compose.ts'
import { container } from './container.ts'
import { namesOfImages } from './released-image.ts'
import type { Plan, ReleaseFacts } from './target.ts'
import { anInput as composeInput } from './test-compose.ts'
import { COMMIT, anInput as containerInput } from './test-container.ts'

/** Of six releases, so that the pipeline's limit and not a plan decides how far back one can go. */
const NUMBERS = [1, 2, 3, 4, 5, 6]

function release(number: number, content: Readonly<Record<string, unknown>>): ReleaseFacts {
  return { id: `r${number}`, commit: COMMIT, configHash: 'x', content }
}

function kept(plan: Plan, step: 'prune' | 'apply', command: string): readonly string[] {
  const told = plan[step].find(each => each.command === command)
  return (told?.data as { keep: readonly string[] } | undefined)?.keep ?? []
}

test('Pruning a container app keeps every image of every release that can be gone back to', () => {
  const releases = NUMBERS.map(number =>
    release(number, {
      image: `shop:t-${number}`,
      imageId: `sha256:${number}`,
      pinned: `r/shop@sha256:${number}`,
    }),
  )
  const plan = container.plan(containerInput({ kept: releases }))
  const names = namesOfImages(releases.flatMap(container.images))
  assert.equal(names.length, 3 * NUMBERS.length)
  const keep = kept(plan, 'prune', 'image.prune')
  assert.deepEqual(
    names.filter(name => !keep.includes(name)),
    [],
  )
})

test('Pruning a Compose app keeps every image and every render of every release that can be gone back to', () => {
  const releases = NUMBERS.map(number =>
    release(number, {
      project: 'shop',
      render: String(number).repeat(64),
      services: { web: `hash-${number}` },
      ran: [
        {
          service: 'web',
          configHash: `hash-${number}`,
          image: `shop-web:t-${number}`,
          imageId: `sha256:${number}`,
        },
      ],
      digests: { web: `r/shop-web@sha256:${number}` },
    }),
  )
  const plan = compose.plan({
    ...composeInput({ web: { configHash: 'other' }, image: { localImageId: undefined } as never }),
    kept: releases,
  } as never)
  const names = namesOfImages(releases.flatMap(compose.images))
  assert.equal(names.length, 3 * NUMBERS.length)
  const keep = kept(plan, 'prune', 'image.prune')
  assert.deepEqual(
    names.filter(name => !keep.includes(name)),
    [],
  )
  const renders = kept(plan, 'apply', 'compose.up')
  assert.deepEqual(
    NUMBERS.map(number => String(number).repeat(64)).filter(name => !renders.includes(name)),
    [],
  )
})

test('An image that nobody has any more cannot be gone back to, and the error says where it was', () => {
  const gone = { code: 'RELEASE_IMAGE_GONE', message: /deleted there/ }
  const content = {
    image: 'shop:t-1',
    imageId: 'sha256:1',
    configHash: 'x',
    environment: {},
    hosts: [],
    ports: [],
  }
  const goal = release(1, content)
  const found = { image: { images: [{ key: 'shop', here: false, registry: 'none' }] } }
  const rest = { containers: { containers: [] }, routes: { routes: { shop: null } } }
  assert.throws(() => container.plan(containerInput({ goal, found: { ...found, ...rest } })), gone)
})
