import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { trimEnd } from './trim-end.ts'

test('only what stands at the end is taken off, however much of it stands before', () => {
  equal(trimEnd('a/b//', '/'), 'a/b')
  equal(trimEnd('a-_-', '-_'), 'a')
  equal(trimEnd('//', '/'), '')
  equal(trimEnd('', '/'), '')
  const hostile = `${'/'.repeat(3_000_000)}x`
  equal(trimEnd(hostile, '/'), hostile)
})
