import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '#exec/call.ts'
import { CONTAINER_NOT_FOUND } from './container-errors.ts'
import { testHands } from './recorded-hands.test.ts'
import { SWARM_MISSING } from './swarm-errors.ts'
import { swarmLogs } from './swarm-logs.ts'

const MANAGER = { json: { Swarm: { LocalNodeState: 'active', ControlAvailable: true, NodeID: 'n' } } }

function service(name: string, app = 'shop'): object {
  return {
    ID: `id-${name}`,
    Spec: {
      Name: `shop_${name}`,
      Labels: { 'io.fairlead.app': app, 'com.docker.stack.namespace': 'shop' },
    },
  }
}

const lineOf = (text: string) => ({ events: [{ kind: 'line', stream: 'stdout', text } as const] })
const logsOf = (name: string) => (call: Call<unknown>) =>
  call.kind === 'request' && call.path === `/services/id-${name}/logs`

test('the services of an app show what they print on all nodes, each line with its service', async () => {
  const hands = testHands([
    ['GET docker /info', MANAGER],
    [logsOf('web'), lineOf('GET /')],
    [logsOf('db'), lineOf('ready')],
    ['GET docker /services', { json: [service('web'), service('db'), service('web', 'other')] }],
  ])
  const all = await swarmLogs.run(hands, { app: 'shop', tail: 10, follow: false })
  deepEqual(all, { services: ['web', 'db'], lines: 2 })
  deepEqual(hands.said.toSorted(), ['db | ready', 'web | GET /'])
  const one = await swarmLogs.run(hands, { app: 'shop', service: 'db', tail: 10, follow: false })
  deepEqual(one, { services: ['db'], lines: 1 })
  equal(hands.said.at(-1), 'ready')
  await rejects(
    swarmLogs.run(hands, { app: 'shop', service: 'none', tail: 1, follow: false }),
    CONTAINER_NOT_FOUND.matches,
  )
})

test('a node that is away hides its lines only, and no swarm is said to be none', async () => {
  const hands = testHands([
    ['GET docker /info', MANAGER],
    [logsOf('web'), { error: new Error('timed out') }],
    [logsOf('db'), lineOf('ready')],
    ['GET docker /services', { json: [service('web'), service('db')] }],
  ])
  await swarmLogs.run(hands, { app: 'shop', tail: 10, follow: false })
  match(hands.said.join('\n'), /web may have printed more: .*timed out/)
  match(hands.said.join('\n'), /db \| ready/)
  const alone = testHands([['GET docker /info', { json: { Swarm: { LocalNodeState: 'inactive' } } }]])
  await rejects(swarmLogs.run(alone, { app: 'shop', tail: 1, follow: false }), SWARM_MISSING.matches)
})

test('who follows sees services that come later from their first line, until there are none', async () => {
  const asked: unknown[] = []
  const hands = testHands([
    ['GET docker /info', MANAGER],
    [
      'GET docker /services',
      call => {
        if (call.kind === 'request' && call.path !== '/services') {
          asked.push([call.path, call.query?.tail])
          return lineOf('x')
        }
        const second = hands.clock.monotonic() / 1_000
        return { json: second > 3 ? [] : second > 1 ? [service('web'), service('db')] : [service('web')] }
      },
    ],
  ])
  await swarmLogs.run(hands, { app: 'shop', tail: 5, follow: true })
  deepEqual(asked.slice(0, 1), [['/services/id-web/logs', 5]])
  deepEqual(
    asked.find(each => JSON.stringify(each).includes('id-db')),
    ['/services/id-db/logs', undefined],
  )
})
