import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDockerIgnore } from './docker-ignore.ts'
import { keptOfContext } from './kept-of-context.ts'

const PATHS = [
  'Dockerfile',
  '.dockerignore',
  'app/main.js',
  'docs/a.md',
  'docs/deep/b.md',
  'node_modules/x/y.js',
]

function kept(text: string, paths = PATHS): string[] {
  return [...keptOfContext(paths, { ignore: parseDockerIgnore(text), dockerfile: 'Dockerfile' })].sort()
}

test('files that are left out are not of the context, the Dockerfile always is', () => {
  assert.deepEqual(kept('docs\n**/node_modules\nDockerfile\n.dockerignore'), [
    'Dockerfile',
    'app',
    'app/main.js',
  ])
})

test('what is taken back in is, and a folder of which nothing is sent is sent itself', () => {
  assert.deepEqual(kept('docs/*\n!docs/deep/b.md\nnode_modules/x/*\n*ile\n.d*\napp'), [
    'Dockerfile',
    'docs',
    'docs/deep/b.md',
    'node_modules',
    'node_modules/x',
  ])
})
