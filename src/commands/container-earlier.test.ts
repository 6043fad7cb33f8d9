import { deepEqual, equal, match } from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Call } from '#exec/call.ts'
import type { EarlierTarget } from './command.ts'
import { SLEEP_LABEL } from './container-data.ts'
import { endUnused } from './container-earlier.ts'
import { containerObserve } from './container-observe.ts'
import { containerRemove } from './container-remove.ts'
import { SLOTS, type TestHands, testHands } from './recorded-hands.test.ts'

const HOUR = 3_600_000
const NOW = 10 * HOUR
const [OLD, NEW] = ['a'.repeat(64), 'b'.repeat(64)]

interface Before {
  readonly kernels?: readonly string[]
  readonly connections?: number
  readonly lastAt?: number
  readonly status?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly state?: EarlierTarget['state']
  readonly since?: number
  readonly isSilent?: boolean
  /** That the proxy holds. */
  readonly requests?: number
}

const REMOVE = { app: 'churn', keep: ['d2'], drainMs: 0 }

describe('a server that was replaced', () => {
  const kept: readonly [string, Before, RegExp][] = [
    ['a kernel computes', { kernels: ['busy'] }, /a kernel computes/],
    ['somebody is connected', { kernels: ['idle'], connections: 1 }, /somebody works with it/],
    ['its kernels were used lately', { kernels: ['idle'], lastAt: NOW - HOUR }, /somebody works/],
    [
      'it does not say, and the proxy holds a socket to it',
      { isSilent: true, requests: 1 },
      /somebody works/,
    ],
  ]
  for (const [why, before, said] of kept) {
    test(`goes on while ${why}, with its token, and is nothing that later deployments see`, async () => {
      const hands = handsFor(before)
      deepEqual((await containerRemove.run(hands, REMOVE)).removed, [])
      deepEqual(hands.states(), ['d1 kept'])
      match(hands.said.join('\n'), said)
      equal(hands.did('remove'), false)
      const { containers } = await containerObserve.run(hands, { app: 'churn' })
      deepEqual(
        containers.map(({ deployment }) => deployment),
        ['d2'],
      )
      await endUnused(hands)
      deepEqual(hands.states(), ['d1 kept'])
    })
  }

  const ended: readonly [string, Before][] = [
    ['has no kernel', { kernels: [] }],
    ['was not used for as long as it may idle', { kernels: ['idle'], lastAt: NOW - 3 * HOUR }],
    ['does not run', { kernels: ['busy'], status: 'exited' }],
    ['is at the end of its longest time', { kernels: ['busy'], labels: { [SLEEP_LABEL.most]: '36000' } }],
    ['does not say who works with it, and nobody is connected', { isSilent: true }],
  ]
  for (const [why, before] of ended) {
    test(`goes as it always did when it ${why}`, async () => {
      const hands = handsFor(before)
      deepEqual((await containerRemove.run(hands, REMOVE)).removed, ['churn-old'])
      deepEqual(hands.states(), [])
      const later = handsFor({ ...before, state: 'kept' })
      await endUnused(later)
      deepEqual([later.states(), later.did('remove')], [[], true])
    })
  }

  test('is kept for a day at most, and what a killed worker left is ended', async () => {
    const day = 24 * HOUR
    for (const before of [
      { state: 'kept', since: NOW - day - 1 },
      { state: 'held', since: NOW - day - 1 },
      { state: 'ending' },
    ] as const) {
      const hands = handsFor({ kernels: ['busy'], ...before })
      await endUnused(hands)
      deepEqual([hands.states(), hands.did('remove')], [[], true], before.state)
    }
    const atWork = handsFor({ kernels: [] })
    await endUnused(atWork)
    deepEqual([atWork.states(), atWork.did('remove')], [['d1 held'], false])
  })

  test('goes with its app, whatever it computes', async () => {
    const hands = handsFor({ kernels: ['busy'], state: 'kept' })
    deepEqual((await containerRemove.run(hands, { ...REMOVE, keep: [] })).removed, ['churn-new', 'churn-old'])
    deepEqual(hands.states(), [])
  })
})

/** The server of d1, which served until d2 did. */
function handsFor(before: Before): TestHands & { states(): string[]; did(what: 'remove'): boolean } {
  const { kernels = [], connections = 0, lastAt = 0, status = 'running', isSilent, requests = 0 } = before
  const container = (id: string, name: string, deployment: string) => ({
    json: {
      Id: id,
      Name: `/churn-${name}`,
      Config: {
        Labels: {
          'io.fairlead.app': 'churn',
          'io.fairlead.deployment': deployment,
          'io.fairlead.slot': '0',
          [SLEEP_LABEL.idle]: '7200',
          ...before.labels,
        },
      },
      State: { Status: name === 'old' ? status : 'running', StartedAt: new Date(-1).toISOString() },
    },
  })
  const isTo = (path: string) => (call: Call<unknown>) => call.kind === 'request' && call.path === path
  const answer = (json: unknown) => (isSilent ? { status: 500, json: {} } : { json })
  const hands = testHands([
    ['GET docker /containers/json', { json: [{ Id: NEW }, { Id: OLD }] }],
    [`GET docker /containers/${OLD}/json`, container(OLD, 'old', 'd1')],
    [`GET docker /containers/${NEW}/json`, container(NEW, 'new', 'd2')],
    [isTo('/api/kernels'), answer(kernels.map(each => ({ execution_state: each })))],
    [
      isTo('/api/status'),
      answer({ connections, kernels: kernels.length, last_activity: new Date(lastAt).toISOString() }),
    ],
    [isTo('/reverse_proxy/upstreams'), { json: [{ address: `${SLOTS[0]}:8888`, num_requests: requests }] }],
    [call => call.kind === 'request' && call.path.startsWith('/images/'), { status: 404 }],
    [call => call.kind === 'request' && call.path.endsWith('/stop'), { status: 204 }],
    [call => call.kind === 'request' && call.method === 'DELETE', { status: 204 }],
    [call => call.kind === 'file' && call.path.includes('kept-volumes'), {}],
    ['GET docker /volumes', { json: {} }],
    [call => call.kind === 'file', { text: 't0ken', names: [] }],
  ])
  hands.board.set('churn', { ip: SLOTS[1], deployment: 'd2' })
  const { state = 'held', since = NOW - HOUR } = before
  let all: readonly EarlierTarget[] = [{ ip: SLOTS[0], deployment: 'd1', since, state }]
  const earlier = {
    of: () => all.filter(each => each.state !== 'ending'),
    all: () => all.map(each => ({ name: 'churn', ...each })),
    async mark(_: string, deployment: string, marked: EarlierTarget['state'] | undefined) {
      all = all.flatMap(each =>
        each.deployment !== deployment ? [each] : marked ? [{ ...each, state: marked }] : [],
      )
    },
  }
  const proxy = { adminOrigin: 'http://127.0.0.1:1', httpPort: 80, httpsPort: 443, resolver: '127.0.0.1:1' }
  const host = { ...hands.host, proxy, switchboard: { ...hands.host.switchboard, earlier } }
  return {
    ...hands,
    host,
    clock: { ...hands.clock, now: () => NOW },
    states: () => all.map(each => `${each.deployment} ${each.state}`),
    did: () => hands.recorder.shown.some(line => line.startsWith('DELETE')),
  }
}
