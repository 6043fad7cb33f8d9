import { deepEqual, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PACKAGE_ROOT } from '#lib/package-root.ts'

/** `[src/a.test.ts](../src/a.test.ts): "title …"` below a promise. */
const SHOWN_BY = /^ {2}- \[(.+)\]\(\.\.\/\1\): "(.+?)(?: …)?"$/

test('every promise of docs/security.md is shown by tests that are there', () => {
  const lines = readFileSync(join(PACKAGE_ROOT, 'docs/security.md'), 'utf8').split('\n')
  const promises = lines.filter(line => line.startsWith('- '))
  ok(promises.length > 0)
  deepEqual(
    promises.filter(promise => !SHOWN_BY.test(lines[lines.indexOf(promise) + 1] ?? '')),
    [],
  )
  const tests = lines.filter(line => line.startsWith('  - '))
  deepEqual(
    tests.filter(line => !isThere(line)),
    [],
  )
})

function isThere(line: string): boolean {
  const [, file = '', title = ''] = SHOWN_BY.exec(line) ?? []
  return file !== '' && readFileSync(join(PACKAGE_ROOT, file), 'utf8').includes(title)
}
