import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { slugsOf } from './slugs.ts'

const slugs = (folders: readonly string[], given?: Record<string, string>) =>
  slugsOf(
    folders.map(folder => ({ folder })),
    { rootName: 'Demo', ...(given ? { given } : {}) },
  )

test('N01 hostile folder names get slugs that are unique, fit a host name and lead back to their folder', () => {
  const long = `${'é'.repeat(127)}x`
  equal(Buffer.byteLength(long), 255)
  const folders = [
    ...['a b', 'a_b', 'A-B', 'a-b', 'a/b', 'ção', 'cao', '🦆', '🦆🦆', '..', '.', '-x', 'x', 'x-', long],
    ...['a\nb', 'a"b', "a'b", 'a$b', '日本', 'CON', `${'a'.repeat(39)}b`, 'a'.repeat(41), 'a'.repeat(42)],
  ]
  const { byFolder, bySlug } = slugs(folders)
  equal(byFolder.size, folders.length)
  equal(bySlug.size, folders.length)
  for (const [folder, slug] of byFolder) {
    match(slug, /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/)
    equal(bySlug.get(slug), folder)
  }
  equal(byFolder.get('a-b'), 'a-b')
  match(byFolder.get('A-B') ?? '', /^a-b-[0-9a-f]{6}$/)
  match(byFolder.get('🦆') ?? '', /^project-[0-9a-f]{6}$/)
})

test('N01 the slugs are the same in whatever order the folders come', () => {
  const folders = ['b c', 'a/b', 'a-b', 'b_c', 'reports/churn']
  deepEqual([...slugs(folders).bySlug].sort(), [...slugs([...folders].reverse()).bySlug].sort())
})

test('a path keeps its words; the root is called after the repository', () => {
  const { byFolder } = slugs(['reports/churn', ''])
  equal(byFolder.get('reports/churn'), 'reports-churn')
  match(byFolder.get('') ?? '', /^demo-[0-9a-f]{6}$/)
})

test('a slug that was given before stays when a folder comes that would fit it better', () => {
  const before = slugs(['a/b'])
  equal(before.byFolder.get('a/b'), 'a-b')
  const after = slugs(['a/b', 'a-b'], Object.fromEntries(before.byFolder))
  equal(after.byFolder.get('a/b'), 'a-b')
  match(after.byFolder.get('a-b') ?? '', /^a-b-[0-9a-f]{6}$/)
})

test('a slug that is asked for wins, and a second folder that asks for it is named', () => {
  const { byFolder, doubled } = slugsOf(
    [{ folder: 'one', asked: 'two' }, { folder: 'two' }, { folder: 'x', asked: 'two' }],
    { rootName: 'demo', given: { two: 'two' } },
  )
  equal(byFolder.get('one'), 'two')
  match(byFolder.get('two') ?? '', /^two-[0-9a-f]{6}$/)
  ok(byFolder.get('x'))
  deepEqual(doubled, [{ folder: 'x', slug: 'two', holder: 'one' }])
})
