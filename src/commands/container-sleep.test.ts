import { deepEqual, equal, match } from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Call } from '#exec/call.ts'
import type { Gate } from './command.ts'
import { SLEEP_LABEL } from './container-data.ts'
import { isAsleep, putToSleep, wake } from './container-sleep.ts'
import { SLOTS, type TestHands, testHands } from './recorded-hands.test.ts'

const ID = 'c'.repeat(64)
const APP = 'churn'
const DEPLOYMENT = 'd1'
const HOUR_MS = 3_600_000
/** The clock of these hands begins in 1970. */
const NOW = 10 * HOUR_MS

interface Server {
  readonly status?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly connections?: number
  /** Milliseconds since 1970. */
  readonly lastAt?: number
  readonly kernels?: readonly string[]
  readonly isSilent?: boolean
  /** What it answers where it has nothing. */
  readonly shows?: 302 | 404
  /** That the proxy holds. */
  readonly requests?: number
  readonly isOverloaded?: boolean
  /** Where it is served. */
  readonly base?: string
}

describe('a container that may sleep', () => {
  const cases: readonly [string, Server, 'sleeps' | 'stays'][] = [
    ['nobody worked with for an hour', {}, 'sleeps'],
    ['a browser is connected to', { connections: 1 }, 'stays'],
    ['computes for somebody who left', { kernels: ['idle', 'busy'] }, 'stays'],
    ['was used lately', { lastAt: NOW - 1 }, 'stays'],
    ['does not answer', { isSilent: true }, 'stays'],
    ['only shows, and was not visited for an hour', { shows: 404 }, 'sleeps'],
    ['only shows one notebook, and was not visited for an hour', { shows: 302 }, 'sleeps'],
    ['only shows, and holds a socket of somebody', { shows: 302, requests: 1 }, 'stays'],
    ['is stopped', { status: 'exited' }, 'stays'],
    ['may run on for ever', { labels: { [SLEEP_LABEL.idle]: '0' } }, 'stays'],
    ['is of a deployment that does not serve', { labels: { 'io.fairlead.deployment': 'd0' } }, 'stays'],
    [
      'has run longer than any may, though it computes',
      { kernels: ['busy'], labels: { [SLEEP_LABEL.most]: '3600' } },
      'sleeps',
    ],
  ]
  for (const [what, server, ends] of cases) {
    test(`${ends} when it ${what}`, async () => {
      const hands = handsFor(server)
      const asleep = await putToSleep(hands)
      deepEqual(asleep, ends === 'sleeps' ? [APP] : [])
      const stops = hands.recorder.calls.filter(call => JSON.stringify(call).includes(`/${ID}/stop`))
      equal(stops.length, ends === 'sleeps' ? 1 : 0)
      equal(hands.host.gate?.sleeps.of(APP), ends === 'sleeps' ? DEPLOYMENT : undefined)
    })
  }

  test('stays while somebody visits it, although its server notices nothing', async () => {
    const hands = handsFor({}, NOW - 1)
    deepEqual(await putToSleep(hands), [])
  })

  const LABELS = { 'io.fairlead.app': APP, 'io.fairlead.deployment': DEPLOYMENT }
  const ended = { state: 'exited', labels: LABELS, exitCode: 1, outOfMemory: false }

  test('is asleep only as long as it is stopped and its deployment serves', () => {
    const hands = handsFor({})
    hands.host.gate?.sleeps.begin(APP, DEPLOYMENT)
    const other = { ...LABELS, 'io.fairlead.deployment': 'd0' }
    equal(isAsleep(hands, ended), true)
    equal(isAsleep(hands, { ...ended, state: 'running' }), false)
    equal(isAsleep(hands, { ...ended, labels: other }), false)
    equal(isAsleep(hands, { ...ended, labels: {} }), false)
  })

  test('that ended with its machine is asleep, and one that failed is not', () => {
    const hands = handsFor({})
    const labels = { ...LABELS, [SLEEP_LABEL.idle]: '3600' }
    for (const exitCode of [0, 137, 143, 255]) {
      equal(isAsleep(hands, { ...ended, labels, exitCode }), true, `${exitCode}`)
      equal(isAsleep(hands, { ...ended, exitCode }), false, 'not of a kind that sleeps')
    }
    equal(isAsleep(hands, { ...ended, labels }), false)
    equal(isAsleep(hands, { ...ended, labels, exitCode: 78 }), false)
    equal(isAsleep(hands, { ...ended, labels, exitCode: 137, outOfMemory: true }), false)
    hands.board.set(APP, { ip: SLOTS[0], deployment: 'd2' })
    equal(isAsleep(hands, { ...ended, labels, exitCode: 0 }), false, 'it does not serve')
  })

  test('is woken with a new token, and is awake when it answers', async () => {
    const hands = handsFor({ status: 'exited' })
    hands.host.gate?.sleeps.begin(APP, DEPLOYMENT)
    equal(await wake(hands, APP, { isVisit: true }), 'awake')
    equal(hands.host.gate?.sleeps.of(APP), undefined)
    const calls = hands.recorder.calls.map(call => JSON.stringify(call))
    const written = calls.findIndex(call => call.includes(`/workspace/tokens/${APP}/${DEPLOYMENT}`))
    const started = calls.findIndex(call => call.includes(`/${ID}/start`))
    equal(written >= 0 && written < started, true, calls.join('\n'))
    match(hands.said.join('\n'), /was woken/)
  })

  test('is asked below the path that it is served at', async () => {
    const base = '/nb/churn/'
    const hands = handsFor({ base })
    deepEqual(await putToSleep(hands), [APP])
    const woken = handsFor({ base, status: 'exited' })
    equal(await wake(woken, APP, { isVisit: true }), 'awake')
    const asked = [...hands.recorder.calls, ...woken.recorder.calls].flatMap(call =>
      call.kind === 'request' && call.path.includes('/api') ? [call.path] : [],
    )
    deepEqual(asked, ['/nb/churn/api/status', '/nb/churn/api/kernels', '/nb/churn/api'])
  })

  test('is not woken by a page that asks by itself', async () => {
    const hands = handsFor({ status: 'exited' })
    equal(await wake(hands, APP, { isVisit: false }), 'gone')
    equal(JSON.stringify(hands.recorder.calls).includes('/start'), false)
  })

  test('that has run for a while and is slow is awake, and so is one that another engine has', async () => {
    equal(await wake(handsFor({ isOverloaded: true }), APP, { isVisit: true }), 'awake')
    const far = handsFor({ status: 'exited' })
    const at = { ip: '10.9.9.9', port: 20_000, of: 8888 }
    far.board.set(APP, { ip: SLOTS[0], deployment: DEPLOYMENT, at } as never)
    equal(await wake(far, APP, { isVisit: true }), 'awake')
  })

  test('that runs is not started again, and one that is not there cannot be', async () => {
    const hands = handsFor({})
    equal(await wake(hands, APP, { isVisit: true }), 'awake')
    equal(JSON.stringify(hands.recorder.calls).includes('/start'), false)
    equal(await wake(hands, 'other', { isVisit: true }), 'gone')
  })
})

function handsFor(server: Server, visitedAt?: number): TestHands {
  const labels = {
    'io.fairlead.app': APP,
    'io.fairlead.deployment': DEPLOYMENT,
    'io.fairlead.slot': '0',
    [SLEEP_LABEL.idle]: '3600',
    ...(server.base === undefined ? {} : { [SLEEP_LABEL.base]: server.base }),
    ...server.labels,
  }
  const { base = '/' } = server
  const { status = 'running', connections = 0, lastAt = 0, kernels = ['idle'] } = server
  const silent = { status: 500, json: {} }
  const hands = testHands([
    ['GET docker /containers/json', { json: [{ Id: ID }] }],
    [
      `GET docker /containers/${ID}/json`,
      {
        json: {
          Id: ID,
          Name: '/churn-1',
          Config: { Labels: labels },
          State: { Status: status, StartedAt: new Date(0).toISOString() },
        },
      },
    ],
    [
      (call: Call<unknown>) => isTo(call, `${base}api/status`),
      server.isSilent
        ? silent
        : server.shows
          ? { status: server.shows }
          : { json: { connections, last_activity: new Date(lastAt).toISOString(), kernels: kernels.length } },
    ],
    [
      (call: Call<unknown>) => isTo(call, `${base}api/kernels`),
      server.shows ? { status: server.shows } : { json: kernels.map(each => ({ execution_state: each })) },
    ],
    [
      (call: Call<unknown>) => isTo(call, `${base}api`),
      server.isOverloaded ? { status: 503 } : { json: { version: '6' } },
    ],
    [
      (call: Call<unknown>) => isTo(call, '/reverse_proxy/upstreams'),
      { json: [{ address: `${SLOTS[0]}:8888`, num_requests: server.requests ?? 0 }] },
    ],
    [`POST docker /containers/${ID}/start`, { status: 204 }],
    [`POST docker /containers/${ID}/stop`, { status: 204 }],
    [`PUT docker /containers/${ID}/archive`, { status: 200 }],
    [(call: Call<unknown>) => call.kind === 'file', { text: 't0ken', names: [] }],
  ])
  hands.board.set(APP, { ip: SLOTS[0], deployment: DEPLOYMENT })
  const asleep = new Map<string, string>()
  const gate: Gate = {
    address: '127.0.0.1:1',
    admit: () => {},
    forget: () => {},
    expel: () => {},
    visitedAt: () => visitedAt,
    sleeps: {
      of: app => asleep.get(app),
      begin: (app, deployment) => void asleep.set(app, deployment),
      end: app => void asleep.delete(app),
    },
  }
  const proxy = { adminOrigin: 'http://127.0.0.1:1', httpPort: 80, httpsPort: 443, resolver: '127.0.0.1:1' }
  return { ...hands, clock: { ...hands.clock, now: () => NOW }, host: { ...hands.host, gate, proxy } }
}

function isTo(call: Call<unknown>, path: string): boolean {
  return call.kind === 'request' && call.path === path
}
