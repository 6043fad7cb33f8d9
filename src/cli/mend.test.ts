import { deepEqual, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import type { Checked } from './checked.ts'
import { mend } from './mend.ts'
import type { Session } from './session.ts'

const APPS = [
  { name: 'stopped', release: { id: 'r1' }, paused: null },
  { name: 'paused', release: { id: 'r2' }, paused: { reason: 'too many' } },
  { name: 'new', release: null, paused: null },
  { name: 'full', release: { id: 'r3' }, paused: null },
]

const HOSTS = [
  { name: 'box', role: 'worker' },
  { name: 'other', role: 'worker' },
  { name: 'wall', role: 'guardian' },
]

test('R99 only what is safe is mended: the release that an app has, and what nothing needs on a full disk', async () => {
  const wrong = (where: string, name: string): Checked => ({ where, name, detail: '', mend: 'do something' })
  const { session, sent } = aSession()
  const mended = await mend(session, [
    { ...wrong('well', 'runs'), mend: null },
    wrong('stopped', 'runs'),
    wrong('stopped', 'drift'),
    wrong('stopped', 'deployment'),
    wrong('paused', 'runs'),
    wrong('new', 'runs'),
    wrong('box', 'disk'),
    wrong('box', 'engine disk'),
    wrong('other', 'engine disk'),
    wrong('box', 'engine'),
    wrong('wall', 'disk'),
    wrong('manager', 'disk'),
    wrong('full', 'disk'),
  ])
  deepEqual(sent, [
    ['/apps/stopped/deploy', { release: 'r1', wait_seconds: 120 }],
    ['/hosts/box/prune', { dry_run: false, all_unused: false }],
    ['/hosts/other/prune', { dry_run: false, all_unused: false }],
  ])
  deepEqual(
    mended.map(({ where, problem }) => [where, problem]),
    [
      ['stopped', null],
      ['box', null],
      ['other', null],
    ],
  )
})

test('what could not be mended is told with its reason, and the rest is mended all the same', async () => {
  const { session } = aSession('failed')
  const about = { name: 'runs', detail: '', mend: 'do something' }
  const [app, host] = await mend(session, [
    { ...about, where: 'stopped' },
    { ...about, where: 'box', name: 'disk' },
  ])
  match(app?.problem ?? '', /failed/)
  equal(host?.problem, null)
})

function aSession(state = 'succeeded') {
  const sent: [string, unknown][] = []
  const client = {
    get: async (path: string) => (path.startsWith('/apps') ? { items: APPS, next: null } : { items: HOSTS }),
    send: async (_method: string, path: string, body: unknown) => {
      sent.push([path, body])
      return { state }
    },
  }
  return { session: { client } as unknown as Session, sent }
}
