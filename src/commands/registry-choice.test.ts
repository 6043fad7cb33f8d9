import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseCollectable, keyOf, type StoredManifest, whySpared } from './registry-choice.ts'

const tag = (letter: string) => `t-${letter.repeat(32)}`
const digest = (letter: string) => `sha256:${letter.repeat(64)}`

test('an image that our builds made and nothing names goes; named ones and those that people tagged stay', () => {
  const stored = [
    aManifest('a'),
    aManifest('b'),
    aManifest('c'),
    aManifest('d', { tags: [tag('d'), '1.2.0'] }),
    aManifest('e', { tags: ['latest'] }),
  ]
  const choice = chooseCollectable(stored, [digest('b'), `shop:${tag('c')}`])
  assert.deepEqual(names(choice.gone), ['a'])
  assert.match(choice.kept.find(({ manifest }) => manifest.digest === digest('d'))?.why ?? '', /"1\.2\.0"/)
})

test('a tag that a release names in one repository keeps nothing in another', () => {
  const stored = [aManifest('a'), aManifest('b', { repository: 'other', tags: [tag('a')] })]
  assert.deepEqual(names(chooseCollectable(stored, [`shop:${tag('a')}`]).gone), ['b'])
})

test('R43 a tag of ours shows not who made an image: only what an app of this manager made, and not just now, may go', () => {
  const rules = { ours: new Set(['shop']), youngerThanMs: 1_000, now: 10_000 }
  const made = (app: string | undefined, at = 0, isEnvironment = false) =>
    whySpared([{ app, at, isEnvironment }], rules)
  assert.equal(made('shop'), undefined)
  assert.equal(made('shop', 9_500), 'it is new')
  assert.equal(made('other'), 'no app of this manager made it')
  assert.equal(made(undefined), 'no app of this manager made it')
  assert.equal(made(undefined, 0, true), undefined)
  assert.equal(made(undefined, 9_500, true), 'it is new')
  // An index says it by its parts, of which one may be no image; one that nothing is known of is nobody's.
  const parts = [
    { app: 'shop', at: 0, isEnvironment: false },
    { app: undefined, at: undefined, isEnvironment: false },
  ]
  assert.equal(whySpared(parts, rules), undefined)
  assert.equal(whySpared([...parts, { app: 'shop', at: 9_999, isEnvironment: false }], rules), 'it is new')
  assert.equal(whySpared([], rules), 'no app of this manager made it')
})

test('what is spared stays with its parts, for the reason that was given', () => {
  const stored = [aManifest('a', { children: [digest('1')] }), aManifest('1', { tags: [] }), aManifest('b')]
  const spared = new Map([[keyOf({ repository: 'shop', digest: digest('a') }), 'it is new']])
  const { gone, kept } = chooseCollectable(stored, [], spared)
  assert.deepEqual(names(gone), ['b'])
  assert.deepEqual(
    kept.map(each => each.why),
    ['it is new', 'it is part of an index that stays'],
  )
})

test('R43 images of notebooks that no release names go, environments by their keys; a base and what only looks like one stay', () => {
  const short = (kind: string, digit: string) => [`${kind}-${digit.repeat(24)}`]
  const content = (letter: string) =>
    aManifest(letter, { repository: 'notebooks/p/sales', tags: short('t', letter) })
  const environment = (letter: string, kind = 'e', repository = 'notebooks/env') =>
    aManifest(letter, { repository, tags: short(kind, letter) })
  const stored = [
    ...[content('1'), content('2'), environment('3'), environment('4')],
    ...[environment('5', 'b'), environment('6', 'e', 'notebooks/p/sales'), environment('7', 'e', 'team/env')],
  ]
  const keep = [`notebooks/p/sales:${short('t', '1')}`, ...short('e', '3')]
  assert.deepEqual(names(chooseCollectable(stored, keep).gone), ['2', '4', '7'])
})

test('an index and its parts go and stay together, and a part that another index has stays', () => {
  const kept = aManifest('a', { children: [digest('1'), digest('2')] })
  const gone = aManifest('b', { children: [digest('2'), digest('3')] })
  const parts = ['1', '2', '3'].map(each => aManifest(each, { tags: [] }))
  const choice = chooseCollectable([kept, gone, ...parts], [digest('a')])
  assert.deepEqual(names(choice.gone), ['b', '3'])
  // A release may name the part that its host runs.
  assert.deepEqual(names(chooseCollectable([kept, ...parts.slice(0, 2)], [digest('1')]).gone), [])
})

test('what says something of an image goes and stays with it', () => {
  const about = (letter: string, of: string) => aManifest(letter, { tags: [`sha256-${of.repeat(64)}.sbom`] })
  const stored = [
    aManifest('a'),
    aManifest('b'),
    about('1', 'a'),
    about('2', 'b'),
    aManifest('3', { tags: [tag('3')], subject: digest('1') }),
    about('4', 'f'),
  ]
  // That of an image which is not there says nothing that could be checked: it stays.
  assert.deepEqual(names(chooseCollectable(stored, [digest('a')]).gone), ['b', '2'])
})

test('what is listed under the tag of an image, as OCI 1.1 has it, goes and stays with the image', () => {
  const said = (letter: string, of: string) => aManifest(letter, { tags: [], subject: digest(of) })
  const list = (letter: string, of: string, children: readonly string[]) =>
    aManifest(letter, { tags: [`sha256-${of.repeat(64)}`], children: children.map(digest) })
  const stored = [
    ...[aManifest('a', { tags: [tag('a'), '1.2.0'] }), aManifest('b')],
    ...[list('1', 'a', ['2', '3']), said('2', 'a'), said('3', 'a')],
    ...[list('4', 'b', ['5']), said('5', 'b')],
  ]
  assert.deepEqual(names(chooseCollectable(stored, []).gone), ['b', '4', '5'])
})

test('layers that something kept has are not counted as freed, and each of the others once', () => {
  const blob = (letter: string, bytes: number) => ({ digest: digest(letter), bytes })
  const stored = [
    aManifest('a', { blobs: [blob('x', 100), blob('y', 10)] }),
    aManifest('b', { blobs: [blob('y', 10), blob('z', 1)] }),
    aManifest('c', { blobs: [blob('z', 1), blob('w', 5)] }),
  ]
  assert.equal(chooseCollectable(stored, [digest('a')]).bytes, 6)
})

function aManifest(letter: string, changes: Partial<StoredManifest> = {}): StoredManifest {
  return {
    repository: 'shop',
    digest: digest(letter),
    tags: [tag(letter)],
    blobs: [],
    children: [],
    ...changes,
  }
}

function names(manifests: readonly StoredManifest[]): string[] {
  return manifests.map(each => each.digest[7] ?? '')
}
