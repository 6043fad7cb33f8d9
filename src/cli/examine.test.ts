import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { examine } from './examine.ts'
import type { Session } from './session.ts'

test('R99 a host is told of by what it is: a guardian that is away is not looked for among the workers', async () => {
  const host = {
    problem: null,
    warning: null,
    guardian: null,
    advice: null,
    certificate_ends_at: '2030-01-01T00:00:00.000Z',
  }
  const hosts = [
    { ...host, name: 'gate', role: 'guardian', online: false },
    { ...host, name: 'wall', role: 'guardian', online: true },
    { ...host, name: 'box', role: 'worker', online: false },
  ]
  const client = {
    url: 'http://manager',
    get: async (path: string) =>
      path === '/hosts' ? { items: hosts } : { items: [], next: null, app: null, address: null },
  }
  const clock = { now: () => 0 }
  const found = await examine({ client, clock } as unknown as Session)
  deepEqual(
    found
      .filter(({ where }) => ['gate', 'wall', 'box'].includes(where))
      .map(({ where, name, mend }) => [where, name, /fairlead-\w+/.exec(mend ?? '')?.[0]]),
    [
      ['gate', 'guardian', 'fairlead-guardian'],
      ['wall', 'guardian', undefined],
      ['box', 'worker', 'fairlead-worker'],
      ['box', 'guardian', undefined],
    ],
  )
})
