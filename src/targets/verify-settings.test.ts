import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { probeOf, readyPathOf, type VerifySettings } from './verify-settings.ts'

for (const [what, settings, path, probe] of [
  ['nothing said: any status below 500', undefined, undefined, undefined],
  ['the health path: good is 2xx and 3xx', undefined, '/up', { path: '/up', expect: { from: 200, to: 399 } }],
  ['a path of its own', { http: '/a' }, '/up', { path: '/a', expect: { from: 200, to: 399 } }],
  ['one status at the root', { status: 401 }, undefined, { expect: [401] }],
  ['several statuses', { http: '/a', status: [200, 204] }, undefined, { path: '/a', expect: [200, 204] }],
] as const) {
  test(`visitors are asked for: ${what}`, () => {
    deepEqual(probeOf(structuredClone(settings) as VerifySettings | undefined, path), probe)
  })
}

test('a path that answers with something else than a success does not say when the app is ready', () => {
  deepEqual(
    [readyPathOf({ http: '/a' }), readyPathOf({ http: '/a', status: 401 }), readyPathOf()],
    ['/a', undefined, undefined],
  )
})
