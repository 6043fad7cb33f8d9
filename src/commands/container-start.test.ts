import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Call, EngineRequest } from '#exec/call.ts'
import { ENGINE_UNREACHABLE } from '#exec/errors.ts'
import { problemsOf } from '#lib/check.ts'
import { FairleadError } from '#lib/errors.ts'
import { Secret } from '#lib/secret.ts'
import { containerStart } from './container.ts'
import { ContainerStartData } from './container-data.ts'
import {
  CONTAINER_EXITED,
  CONTAINER_TOKEN_REFUSED,
  CONTAINER_UNHEALTHY,
  NETWORK_UNAVAILABLE,
  PORT_REFUSED,
  PORT_TAKEN,
} from './container-errors.ts'
import { SLOTS, testHands } from './recorded-hands.test.ts'

const DATA: ContainerStartData = {
  app: 'shop',
  deployment: '01a1f913-7679-7547-b39e-74058fc4fdc7',
  commit: 'c'.repeat(40),
  configHash: 'a'.repeat(64),
  image: 'fairlead/shop:t-1',
  environment: { TOKEN: 'secret-value' },
  port: 8080,
  health: { withinMs: 1_000 },
  volumes: [],
  ports: [],
  stopGraceSeconds: 1,
}
const NAME = 'shop-8fc4fdc7'
const RUNNING = {
  Id: 'c1',
  Name: `/${NAME}`,
  Image: 'sha256:1',
  State: { Status: 'running', StartedAt: 'now' },
}
const IMAGE = { Id: 'sha256:1', RepoDigests: ['r.example/shop@sha256:1'], Config: {} }
const NETWORK = { Id: 'n', IPAM: { Config: [{ Subnet: '10.1.0.0/16' }] } }

type Table = Parameters<typeof testHands>[0]

/** A host on which all goes well, after the given exceptions. */
function host(...exceptions: Table): Table {
  return [
    ...exceptions,
    ['GET docker /images/', { json: IMAGE }],
    ['GET docker /containers/json', { json: [] }],
    ['GET docker /networks/', { json: NETWORK }],
    ['POST docker /containers/create', { status: 201, json: { Id: 'c1' } }],
    ['POST docker /containers/c1/start', { status: 204 }],
    ['GET docker /containers/c1/json', { json: RUNNING }],
    [`GET docker /containers/${NAME}/json`, { json: RUNNING }],
    [`GET docker /containers/${NAME}/logs`, {}],
    [`DELETE docker /containers/${NAME}`, { status: 204 }],
    [`GET http://${SLOTS[0]}:8080/`, {}],
  ]
}

const DELETED = `DELETE docker /containers/${NAME}?force=true&v=true`

async function failureOf(hands: ReturnType<typeof testHands>, data = DATA): Promise<FairleadError> {
  try {
    await containerStart.run(hands, data)
  } catch (error) {
    assert.ok(error instanceof FairleadError, String(error))
    return error
  }
  throw new Error('it did not fail')
}

test('a start asks once, creates, starts, and looks until the port answers', async () => {
  const hands = testHands(host([`GET http://${SLOTS[0]}:8080/`, [{ error: unreachable() }, { status: 404 }]]))
  assert.deepEqual(await containerStart.run(hands, DATA), {
    containerId: 'c1',
    name: NAME,
    ip: SLOTS[0],
    imageId: 'sha256:1',
    health: 'answering',
    startedAt: 'now',
    started: true,
  })
  const changes = hands.recorder.shown.filter(line => !line.startsWith('GET'))
  assert.deepEqual(changes, [
    `POST docker /containers/create?name=${NAME}`,
    'POST docker /containers/c1/start',
  ])
})

test('the hot path waits for nothing but the engine: five round trips and the first answer', async () => {
  const hands = testHands(host())
  await containerStart.run(hands, DATA)
  assert.equal(hands.recorder.calls.length, 7)
  assert.equal(hands.clock.monotonic(), 0)
})

test('the network is made once, also when another app was faster', async () => {
  const missing = { status: 404 }
  const table: Table = [
    ['GET docker /networks/', [missing, { json: NETWORK }]],
    ['POST docker /networks/create', { status: 403, json: { message: 'Pool overlaps' } }],
  ]
  await containerStart.run(testHands(host(...table)), DATA)
  const foreign = { json: { Id: 'n', IPAM: { Config: [{ Subnet: '192.168.0.0/16' }] } } }
  const error = await failureOf(testHands(host(['GET docker /networks/', foreign])))
  assert.ok(NETWORK_UNAVAILABLE.matches(error))
})

describe('nothing is left', () => {
  test('when the program ends: exit code and last lines are in the error', async () => {
    const ended = { json: { ...RUNNING, State: { Status: 'running', ExitCode: 0 }, RestartCount: 1 } }
    const lines = { events: [{ kind: 'line', stream: 'stderr', text: 'no config' }] } as const
    const die = {
      Action: 'die',
      timeNano: 1_763_000_000_500_000_000,
      Actor: { Attributes: { exitCode: '3' } },
    }
    const hands = testHands(
      host(
        ['GET docker /containers/c1/json', ended],
        ['GET docker /events', { events: [{ kind: 'json', value: die }] }],
        [`GET docker /containers/${NAME}/logs`, lines],
      ),
    )
    const error = await failureOf(hands)
    assert.ok(CONTAINER_EXITED.matches(error))
    assert.deepEqual(error.facts, { exitCode: 3, endedAt: '1763000000.500000', log: ['no config'] })
    assert.ok(
      hands.recorder.shown.some(line => line.includes('/logs') && line.includes('until=1763000000.500000')),
    )
    assert.ok(hands.recorder.shown.includes(DELETED))
  })

  test('when it never answers', async () => {
    const hands = testHands(host([`GET http://${SLOTS[0]}:8080/`, { status: 503 }]))
    const error = await failureOf(hands)
    assert.ok(CONTAINER_UNHEALTHY.matches(error))
    assert.match(error.message, /within 1 s.*status 503/)
    assert.ok(hands.recorder.shown.includes(DELETED))
  })

  test('when the port is taken: which one, by whom', async () => {
    const message =
      'driver failed programming external connectivity on endpoint x (y): Bind for 0.0.0.0:21000 failed: port is already allocated'
    const hands = testHands(
      host(
        ['POST docker /containers/c1/start', { status: 500, json: { message } }],
        [isListOfPublishers, { json: [{ Names: ['/mqtt'] }] }],
      ),
    )
    const error = await failureOf(hands, { ...DATA, ports: [{ host: 21_000, container: 80 }] })
    assert.ok(PORT_TAKEN.matches(error))
    assert.match(error.message, /21000 .* mqtt/)
    assert.ok(hands.recorder.shown.includes(DELETED))
  })

  test('when the lines cannot be read either', async () => {
    const hands = testHands(
      host(
        [`GET http://${SLOTS[0]}:8080/`, { status: 503 }],
        [`GET docker /containers/${NAME}/logs`, { status: 500 }],
      ),
    )
    await failureOf(hands)
    assert.ok(hands.recorder.shown.includes(DELETED))
  })

  test('and nothing begins when a host port is not allowed or Docker is down', async () => {
    const hands = testHands(host())
    assert.ok(PORT_REFUSED.matches(await failureOf(hands, { ...DATA, ports: [{ host: 22, container: 22 }] })))
    assert.deepEqual(hands.recorder.shown, [])
    const down = testHands([['', { error: ENGINE_UNREACHABLE('docker (/run/docker.sock)', 'ENOENT') }]])
    assert.equal((await failureOf(down)).code, 'ENGINE_UNREACHABLE')
    assert.equal(
      down.recorder.shown.some(line => !line.startsWith('GET')),
      false,
    )
  })
})

describe('what proves that it is ready', () => {
  test('is the path, when one is set: an answer that is an error does not do', async () => {
    const hands = testHands(host([`GET http://${SLOTS[0]}:8080/ok`, [{ status: 404 }, { status: 302 }]]))
    const started = await containerStart.run(hands, { ...DATA, health: { http: '/ok', withinMs: 1_000 } })
    assert.equal(started.health, 'healthy')
  })

  test('is the health check of the image otherwise, run at once and again', async () => {
    const image = { ...IMAGE, Config: { Healthcheck: { Test: ['CMD-SHELL', 'check me'] } } }
    const hands = testHands(
      host(
        ['GET docker /images/', { json: image }],
        ['POST docker /containers/c1/exec', { status: 201, json: { Id: 'e1' } }],
        ['POST docker /exec/e1/start', {}],
        ['GET docker /exec/e1/json', [{ json: { ExitCode: 1 } }, { json: { ExitCode: 0 } }]],
      ),
    )
    assert.equal((await containerStart.run(hands, DATA)).health, 'healthy')
    const [exec] = hands.recorder.calls.filter(isExec)
    assert.deepEqual((exec?.body as { Cmd?: string[] } | undefined)?.Cmd, ['/bin/sh', '-c', 'check me'])
  })

  test('is an answer that is not HTTP, for a port without a path', async () => {
    const broken = new FairleadError({
      code: 'ENGINE_BROKE_OFF',
      message: '',
      hint: '',
      retry: 'later',
      status: 502,
    })
    const hands = testHands(host([`GET http://${SLOTS[0]}:8080/`, { error: broken }]))
    assert.equal((await containerStart.run(hands, DATA)).health, 'answering')
  })

  test('is time without a port', async () => {
    const hands = testHands(host())
    const { port: _, ...data } = DATA
    assert.equal(
      (await containerStart.run(hands, { ...data, health: { withinMs: 9_000 } })).health,
      'running',
    )
    assert.ok(hands.clock.monotonic() >= 1_500)
  })
})

describe('data of container.start', () => {
  for (const [what, changes] of [
    ['C07 a path of the host as a volume', { volumes: [{ name: '/etc', path: '/x' }] }],
    ['C08 a volume at a path that climbs', { volumes: [{ name: 'a', path: '/../x' }] }],
    ['A04 an app name that climbs', { app: '../x' }],
    ['C35 an image that is no reference', { image: 'IMG:TAG' }],
    ['C28 no limit at all for processes', { pids: -1 }],
    ['an unknown key', { privileged: true }],
  ] as const) {
    test(`${what} is refused`, () => {
      assert.notDeepEqual(problemsOf(ContainerStartData, { ...DATA, ...changes }), [])
    })
  }
})

function unreachable(): FairleadError {
  return ENGINE_UNREACHABLE('http://x', 'ECONNREFUSED')
}

function isListOfPublishers(call: Call<unknown>): boolean {
  return call.kind === 'request' && String(call.query?.filters ?? '').includes('publish')
}

function isExec(call: Call<unknown>): call is EngineRequest<unknown> {
  return call.kind === 'request' && call.path.endsWith('/exec')
}
const FILES: Table = [
  ['make-folder /workspace/tokens', {}],
  ['write /workspace/tokens', {}],
]

test('a token is made at the start, kept here for the proxy alone, and is in memory only in the container', async () => {
  const hands = testHands(host(...FILES, ['PUT docker /containers/c1/archive', { status: 200 }]))
  await containerStart.run(hands, { ...DATA, sandbox: { memoryFolders: [], token: true } })
  const calls = hands.recorder.calls as Call<unknown>[]
  const kept = calls.find(call => call.kind === 'file' && call.operation === 'write')
  assert.ok(kept?.kind === 'file' && kept.operation === 'write')
  assert.deepEqual([kept.path, kept.mode], [`/workspace/tokens/shop/${DATA.deployment}`, 0o600])
  assert.match(kept.content, /^[A-Za-z0-9_-]{43}$/)
  const requests = calls.filter((call): call is EngineRequest<unknown> => call.kind === 'request')
  const holding = requests.filter(call => JSON.stringify(call).includes(kept.content))
  assert.deepEqual(
    holding.map(({ method, path, query }) => [method, path, query?.path]),
    [['PUT', '/containers/c1/archive', '/run/secrets']],
  )
})

test('a container that cannot be given its token does not stay', async () => {
  const hands = testHands(
    host(...FILES, ['PUT docker /containers/c1/archive', { status: 404, json: { message: 'gone' } }]),
  )
  const failure = await failureOf(hands, { ...DATA, sandbox: { memoryFolders: [], token: true } })
  assert.match(failure.message, /gone/)
  assert.ok(hands.recorder.shown.some(line => line.includes(DELETED)))
})

describe('a server that answers everybody is asked with its token', () => {
  const sandbox = { memoryFolders: [], token: true }
  const data = { ...DATA, health: { http: '/api', withinMs: 1_000 }, sandbox }
  const asking = (answers: Table[number][1]) =>
    testHands(
      host(
        ...FILES,
        ['read /workspace/tokens', { text: 'given' }],
        ['PUT docker /containers/c1/archive', { status: 200 }],
        [`GET http://${SLOTS[0]}:8080/api/status`, answers],
        [`GET http://${SLOTS[0]}:8080/api`, {}],
      ),
    )

  test('R9 and is not taken when it refuses that: nobody could open it', async () => {
    for (const status of [302, 401, 403]) {
      const hands = asking({ status })
      const error = await failureOf(hands, data)
      assert.ok(CONTAINER_TOKEN_REFUSED.matches(error), error.message)
      assert.match(error.message, new RegExp(`/api/status answers with status ${status}`))
      assert.ok(hands.recorder.shown.includes(DELETED))
    }
  })

  test('with the very token, and is taken when it lets that in, or knows no such path', async () => {
    for (const status of [200, 404]) {
      const hands = asking([{ error: unreachable() }, { status: 503 }, { status }])
      assert.equal((await containerStart.run(hands, data)).health, 'healthy')
      const sent = hands.recorder.calls.flatMap(call =>
        call.kind === 'request' && call.path === '/api/status' ? [call.headers?.authorization] : [],
      )
      assert.deepEqual(
        sent.map(each => (each instanceof Secret ? each.reveal() : each)),
        Array(3).fill('token given'),
      )
    }
  })

  test('and is not waited for without end', async () => {
    assert.ok(CONTAINER_UNHEALTHY.matches(await failureOf(asking({ status: 500 }), data)))
  })

  test('one that only shows is not asked, because it cannot say', async () => {
    const { http: _, ...health } = data.health
    const hands = asking({ status: 403 })
    await containerStart.run(hands, { ...data, health })
  })
})
