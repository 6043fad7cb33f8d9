import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Call, EngineRequest } from '#exec/call.ts'
import { createRecorder } from '#exec/recorder.ts'
import type { Clock } from '#lib/clock.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import type { Hands } from './command.ts'
import { converge } from './compose-converge.ts'
import { expectedServices } from './compose-judge.ts'
import { OWN_KEY, type Render } from './compose-model.ts'
import { projectContainers } from './compose-observe.ts'

/** What the engine says of a container when it is asked for the n-th time; the last one stays. */
interface Life {
  readonly service: string
  readonly states: readonly State[]
  /** Why the engine does not start it. */
  readonly refused?: string
}

interface State {
  readonly status?: string
  readonly exitCode?: number
  readonly health?: string
  readonly restarts?: number
  readonly startedAt?: string
}

const RUNNING = { status: 'running' }

describe('a project that starts', () => {
  test('ends when each service is healthy, runs for the settle time, or has done its one job', async () => {
    const { hands, slept } = world([
      {
        service: 'db',
        states: [
          { ...RUNNING, health: 'starting' },
          { ...RUNNING, health: 'starting' },
          { ...RUNNING, health: 'healthy' },
        ],
      },
      { service: 'web', states: [{ status: 'created' }, RUNNING] },
      { service: 'job', states: [RUNNING, { status: 'exited', exitCode: 0 }] },
    ])
    const containers = await wait(hands, ['db', 'web', 'job'])
    assert.equal(containers.length, 3)
    assert.ok(slept() >= 1_000 && slept() < 2_000, String(slept()))
  })

  test('does not wait for what was not touched', async () => {
    const { hands, slept } = world([{ service: 'web', states: [{ ...RUNNING, startedAt: 'yesterday' }] }])
    await wait(hands, ['web'], { before: new Map([['web', 'yesterday']]) })
    assert.equal(slept(), 0)
  })

  test('lets a service start again a few times, but counts the settle time anew', async () => {
    const { hands, slept } = world([
      {
        service: 'web',
        states: [
          RUNNING,
          { status: 'restarting', exitCode: 1 },
          { ...RUNNING, restarts: 1 },
          { ...RUNNING, restarts: 2, startedAt: 'later' },
        ],
      },
    ])
    await wait(hands, ['web'])
    assert.ok(slept() > 1_000)
  })

  const failures: readonly (readonly [
    title: string,
    states: readonly State[],
    code: string,
    message: RegExp,
  ])[] = [
    [
      'a service that ended',
      [RUNNING, { status: 'exited', exitCode: 3 }],
      'COMPOSE_SERVICE_EXITED',
      /exit code 3/,
    ],
    [
      'a routed service that ended well',
      [{ status: 'exited', exitCode: 0 }],
      'COMPOSE_SERVICE_EXITED',
      /exit code 0/,
    ],
    [
      'a service that ends again and again',
      [{ status: 'restarting', exitCode: 2, restarts: 6 }],
      'COMPOSE_SERVICE_EXITED',
      /again and again/,
    ],
    [
      'an unhealthy service',
      [{ ...RUNNING, health: 'unhealthy' }],
      'COMPOSE_SERVICE_UNHEALTHY',
      /health check fails/,
    ],
    [
      'a service that never becomes healthy',
      [{ ...RUNNING, health: 'starting' }],
      'COMPOSE_SERVICE_UNHEALTHY',
      /not within 60 s/,
    ],
    [
      'a service whose container is never started',
      [{ status: 'created' }],
      'COMPOSE_SERVICE_UNHEALTHY',
      /it is created/,
    ],
    ['a dead container', [{ status: 'dead', exitCode: 0 }], 'COMPOSE_SERVICE_EXITED', /exit code 0/],
  ]
  for (const [title, states, code, message] of failures) {
    test(`fails for ${title}, with its last log lines`, async () => {
      const { hands } = world([{ service: 'web', states }])
      const error = await failureOf(wait(hands, ['web'], { routed: ['web'] }))
      assert.equal(error.code, code)
      assert.match(error.message, message)
      assert.deepEqual([error.facts?.service, error.facts?.log], ['web', ['last words of web']])
    })
  }

  test('starts a service when those it depends on are as far as it wants, the rest at once', async () => {
    const created = { status: 'created' }
    const { hands, started } = world([
      { service: 'web', states: [created, created, created, created, created, created, created, RUNNING] },
      { service: 'job', states: [created, RUNNING, RUNNING, { status: 'exited', exitCode: 0 }] },
      {
        service: 'db',
        states: [
          created,
          { ...RUNNING, health: 'starting' },
          { ...RUNNING, health: 'starting' },
          { ...RUNNING, health: 'healthy' },
        ],
      },
      { service: 'api', states: [created, created, created, created, created, RUNNING] },
    ])
    await wait(hands, ['web', 'api', 'db', 'job'], {
      dependsOn: {
        web: { api: 'service_started', job: 'service_completed_successfully' },
        api: { db: 'service_healthy' },
      },
    })
    assert.deepEqual(started, ['db', 'job', 'api', 'web'])
  })

  test('does not start a one-shot service again that has done its work, but one that failed', async () => {
    const { hands, started } = world([
      { service: 'done', states: [{ status: 'exited', exitCode: 0 }] },
      { service: 'failed', states: [{ status: 'exited', exitCode: 1 }, RUNNING] },
    ])
    await wait(hands, ['done', 'failed'])
    assert.deepEqual(started, ['failed'])
  })

  test('asks for leave before it starts what ended meanwhile, and not while all runs', async () => {
    const refuse = async () => Promise.reject(new Error('not by the rules of now'))
    const ended = world([{ service: 'web', states: [{ status: 'exited', exitCode: 1 }, RUNNING] }])
    await assert.rejects(wait(ended.hands, ['web'], { admit: refuse }), /rules of now/)
    assert.deepEqual(ended.started, [])
    const runs = world([{ service: 'web', states: [RUNNING] }])
    await wait(runs.hands, ['web'], { admit: refuse })
  })

  test("fails with the engine's reason when it refuses to start a service", async () => {
    const refused = 'driver failed: Bind for 0.0.0.0:8080 failed: port is already allocated'
    const error = await failureOf(
      wait(world([{ service: 'web', states: [{ status: 'created' }], refused }]).hands, ['web']),
    )
    assert.equal(error.code, 'COMPOSE_PORT_TAKEN')
  })

  test('fails when a service has no container', async () => {
    const error = await failureOf(wait(world([]).hands, ['web']))
    assert.match(error.message, /"web".*its container is missing/)
  })
})

interface Wish {
  readonly routed?: readonly string[]
  readonly before?: ReadonlyMap<string, string>
  /** Service -> condition on each other service. */
  readonly dependsOn?: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly admit?: () => Promise<void>
}

function wait(hands: Hands, services: readonly string[], wish: Wish = {}) {
  const { routed = [], before = new Map(), dependsOn = {}, admit } = wish
  const routes = routed.map(service => ({
    service,
    port: 80,
    name: `${service}.shop`,
    slots: ['10.0.0.2', '10.0.0.3'] as [string, string],
  }))
  const service = (name: string) => {
    const others = Object.entries(dependsOn[name] ?? {}).map(([other, condition]) => [other, { condition }])
    return [name, { image: 'a', depends_on: Object.fromEntries(others) }]
  }
  const render: Render = {
    services: Object.fromEntries(services.map(service)),
    [OWN_KEY]: { app: 'shop', routes, mounts: {} },
  }
  const expected = expectedServices(render)
  return converge(hands, {
    project: 'shop',
    containers: () => projectContainers(hands, 'shop'),
    start: { name: 'shop', files: [], folder: '/', socket: '/s', home: '/' },
    services: expected,
    routes,
    before,
    withinMs: 60_000,
    settleMs: 1_000,
    admit,
  })
}

async function failureOf(doing: Promise<unknown>): Promise<FairleadError> {
  return doing.then(
    () => assert.fail('nothing failed'),
    error => asFairleadError(error),
  )
}

/** An engine with these containers, and a clock that only sleeping moves. */
function world(lives: readonly Life[]): { hands: Hands; slept: () => number; started: readonly string[] } {
  let now = 0
  const started: string[] = []
  const asked = new Map<string, number>()
  const path = (call: Call<unknown>) => (call as EngineRequest<unknown>).path ?? ''
  const recorder = createRecorder([
    [call => path(call) === '/containers/json', { json: lives.map(({ service }) => ({ Id: service })) }],
    [
      call => path(call).endsWith('/start'),
      call => {
        const service = path(call).split('/')[2] ?? ''
        started.push(service)
        const refused = lives.find(each => each.service === service)?.refused
        return refused ? { status: 500, json: { message: refused } } : { status: 204 }
      },
    ],
    [
      call => path(call).endsWith('/logs'),
      call => ({
        events: [{ kind: 'line', stream: 'stdout', text: `last words of ${path(call).split('/')[2]}` }],
      }),
    ],
    [
      call => path(call).endsWith('/json'),
      call => {
        const service = path(call).split('/')[2] ?? ''
        const { states } = lives.find(each => each.service === service) ?? { states: [] }
        const nth = asked.get(service) ?? 0
        asked.set(service, nth + 1)
        return { json: inspected(service, states[Math.min(nth, states.length - 1)] ?? {}) }
      },
    ],
  ])
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: async ms => {
      now += ms
    },
    after: () => assert.fail(),
    every: () => assert.fail(),
  }
  const hands = {
    id: 'test',
    perform: recorder.perform,
    say: () => {},
    signal: new AbortController().signal,
    clock,
    host: { dockerSocket: '/s', network: { name: 'fairlead', subnet: '10.0.0.0/24' } } as Hands['host'],
  }
  return { hands, slept: () => now, started }
}

function inspected(service: string, state: State): object {
  return {
    Id: service,
    Name: `/shop-${service}-1`,
    RestartCount: state.restarts ?? 0,
    Config: { Labels: { 'com.docker.compose.service': service } },
    State: {
      Status: state.status,
      ExitCode: state.exitCode ?? 0,
      StartedAt: state.startedAt ?? 'today',
      ...(state.health ? { Health: { Status: state.health } } : {}),
    },
  }
}
