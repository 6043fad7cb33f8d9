import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TreeEntry } from '#programs/git-tree.ts'
import { withLikely } from './repository-texts.ts'

const entry = (path: string, kind: TreeEntry['kind'], bytes = 10) =>
  ({ path, kind, bytes, id: path }) as TreeEntry

test('what is probably wanted comes along, and never makes a checkout fail', () => {
  const chosen = [entry('fairlead.yaml', 'file')]
  const entries = [
    ...chosen,
    entry('app/Dockerfile', 'file'),
    entry('web/Dockerfile', 'link'),
    entry('huge', 'file', 700 * 1024),
  ]
  const paths = (likely: string[]) => withLikely(entries, chosen, likely).map(({ path }) => path)
  assert.deepEqual(paths(['app/Dockerfile', 'fairlead.yaml', 'gone']), ['fairlead.yaml', 'app/Dockerfile'])
  assert.deepEqual(paths(['web/Dockerfile']), ['fairlead.yaml'])
  assert.deepEqual(paths(['app/Dockerfile', 'huge']), ['fairlead.yaml'])
})
