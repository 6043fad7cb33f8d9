import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DiskUsage, UsedContainer, UsedImage } from '#programs/disk-usage.ts'
import { LABEL } from './container-data.ts'
import { choosePrunable, type PruneRules } from './prune-choice.ts'

const HOUR = 3_600_000
const NOW = 100 * HOUR
const RULES: PruneRules = {
  ours: ['shop', 'gone'],
  present: ['shop'],
  keep: [],
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
