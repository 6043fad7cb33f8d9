import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DiskUsage, UsedContainer, UsedImage } from '#programs/disk-usage.ts'
import { LABEL } from './container-data.ts'
import { NOTEBOOK_LABEL } from './notebook-images.ts'
import { choosePrunable, type PruneRules } from './prune-choice.ts'

const HOUR = 3_600_000
const NOW = 100 * HOUR
const RULES: PruneRules = {
  ours: ['shop', 'gone'],
  present: ['shop'],
  keep: [],
  environments: true,
  allUnused: false,
  youngerThanMs: HOUR,
}

test('R43 images of our apps that nothing needs go; used, pinned, new and foreign ones stay, with the reason', () => {
  const images = [
    anImage('unused'),
    anImage('used'),
    anImage('pinned-by-tag'),
    anImage('pinned-by-digest', { digests: [`host:5000/shop@sha256:${'d'.repeat(64)}`] }),
    anImage('new', { createdAt: NOW - 1 }),
    anImage('built-from-ours', { tags: ['someones-tool:1.0'] }),
    anImage('named-by-hand', { tags: [madeName('named-by-hand'), 'shop:mine'] }),
    anImage('untagged', { tags: [] }),
    anImage('of-somebody-else', { labels: { [LABEL.app]: 'other' } }),
    anImage('without-label', { labels: {} }),
  ]
  const containers = [aContainer({ imageId: 'used', state: 'exited' })]
  const keep = [madeName('pinned-by-tag'), `sha256:${'d'.repeat(64)}`]
  const choice = choosePrunable(usage(images, containers), { ...RULES, keep }, NOW)
  assert.deepEqual(idsOf(choice.images), ['unused', 'untagged'])
  assert.deepEqual(
    choice.kept.map(({ image, why }) => [image.id, why.split(' ').slice(0, 2).join(' ')]),
    [
      ['used', 'a container'],
      ['pinned-by-tag', 'a release,'],
      ['pinned-by-digest', 'a release,'],
      ['new', 'it is'],
      ['built-from-ours', 'it has'],
      ['named-by-hand', 'it has'],
    ],
  )
})

test('R43 what a deployment gave names of people’s kind goes when it has no others and nothing needs it', () => {
  const images = [
    anImage('given', { tags: [madeName('given'), 'shop:1'] }),
    anImage('named-twice', { tags: ['shop:2', 'shop:mine'] }),
    anImage('pinned', { tags: ['shop:3'] }),
    anImage('of-somebody-else', { tags: ['shop:4'], labels: { [LABEL.app]: 'other' } }),
  ]
  const given = ['shop:1', 'shop:2', 'shop:3', 'shop:4']
  const choice = choosePrunable(usage(images, []), { ...RULES, keep: ['shop:3'], given }, NOW)
  assert.deepEqual(idsOf(choice.images), ['given'])
})

test('R43 with everything unused asked for, what is pinned or used still stays', () => {
  const images = [
    anImage('base', { labels: {}, tags: ['base:1'] }),
    anImage('used', { labels: {} }),
    anImage('pinned', { labels: {} }),
  ]
  const rules = { ...RULES, allUnused: true, keep: ['pinned'] }
  const choice = choosePrunable(usage(images, [aContainer({ imageId: 'used', labels: {} })]), rules, NOW)
  assert.deepEqual(idsOf(choice.images), ['base'])
})

test('only a stopped container of an app of ours that is gone is a leftover, and its image goes with it', () => {
  const made = (app: string, changes: Partial<UsedContainer> = {}) =>
    aContainer({
      id: `${app} ${changes.state}`,
      labels: { [LABEL.app]: app, [LABEL.config]: 'x' },
      ...changes,
    })
  const containers = [
    made('gone', { state: 'exited', imageId: 'old' }),
    made('gone', { state: 'running' }),
    made('shop', { state: 'exited' }),
    made('other', { state: 'exited' }),
    aContainer({ state: 'exited', labels: { [LABEL.app]: 'gone' } }),
  ]
  const choice = choosePrunable(usage([anImage('old')], containers), RULES, NOW)
  assert.deepEqual(idsOf(choice.containers), ['gone exited'])
  assert.deepEqual(idsOf(choice.images), ['old'])
})

test('R43 an environment of notebooks goes once no container, kept release or image that stays was made from it', () => {
  const keyOf = (digit: string) => `e-${digit.repeat(24)}`
  const made = (digit: string) => ({ [NOTEBOOK_LABEL.environment]: keyOf(digit) })
  const environment = (digit: string, changes: Partial<UsedImage> = {}) =>
    anImage(`env-${digit}`, {
      tags: [`fairlead/notebooks/env:${keyOf(digit)}`],
      labels: made(digit),
      ...changes,
    })
  const content = (digit: string, app: string) =>
    anImage(`${app}-${digit}`, { labels: { ...made(digit), [LABEL.app]: app } })
  const images = [
    ...[environment('1'), content('1', 'shop')],
    ...[environment('2'), content('2', 'other')],
    environment('3'),
    environment('4'),
    environment('5', { createdAt: NOW }),
    ...[environment('6', { tags: ['lab-base:1'] }), environment('6')],
    environment('7', { tags: [] }),
    environment('8', { tags: [], digests: [`lab-base@sha256:${'d'.repeat(64)}`] }),
  ]
  const containers = [aContainer({ state: 'exited', labels: made('3') })]
  const rules = { ...RULES, keep: [keyOf('4')], youngerThanMs: 0 }
  const choice = choosePrunable(usage(images, containers), rules, NOW)
  assert.deepEqual(idsOf(choice.images), ['shop-1', 'env-1', 'env-7'])
  assert.deepEqual(
    choice.kept.map(({ image, why }) => `${image.tags[0]?.at(-1)} ${why}`),
    [
      '2 a container or an image that stays was made from it',
      '3 a container or an image that stays was made from it',
      '4 a release, an artifact or a deployment at work names it',
      '5 it is new',
      '6 a container or an image that stays was made from it',
    ],
  )
  // What an engine that serves only some apps has may be somebody else's.
  const some = choosePrunable(usage(images, containers), { ...rules, environments: false }, NOW)
  assert.deepEqual(idsOf(some.images), ['shop-1'])
})

function usage(images: readonly UsedImage[], containers: readonly UsedContainer[]): DiskUsage {
  return { layerBytes: 0, buildCacheBytes: 0, buildCache: [], images, containers }
}

function anImage(id: string, changes: Partial<UsedImage> = {}): UsedImage {
  const labels = { [LABEL.app]: 'shop' }
  return {
    id,
    tags: [madeName(id)],
    digests: [],
    labels,
    createdAt: 0,
    bytes: 2,
    sharedBytes: 1,
    ...changes,
  }
}

function madeName(id: string): string {
  return `shop/${id}:t-${'0'.repeat(32)}`
}

function aContainer(changes: Partial<UsedContainer>): UsedContainer {
  return { id: 'c', name: 'c', imageId: 'i', state: 'running', labels: {}, ...changes }
}

function idsOf(list: readonly { readonly id: string }[]): string[] {
  return list.map(({ id }) => id)
}
