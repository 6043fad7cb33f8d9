import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Usage } from '#commands/container-usage.ts'
import type { UsageDocument } from '#contract/rest/usage.ts'
import type { FairleadError } from '#lib/errors.ts'
import { TestClock } from '#lib/test-clock.ts'
import { AGENT_OFFLINE } from '#manager/agents/errors.ts'
import { seedApp, type TestServer, testServer } from '#manager/api/test-server.ts'
import { createUsageWatch, lookOf, type UsageWatch } from './usage.ts'

const AT = '2026-01-01T00:00:00.000Z'
const SECOND_MS = 1_000
const MINUTE_MS = 60_000
type Reading = Usage['containers'][number]

let manager: TestServer
let clock: TestClock
let usage: UsageWatch
let isAway = false
let containers = 1
before(async () => {
  manager = await testServer({
    answer() {
      if (isAway) {
        throw AGENT_OFFLINE('local', '')
      }
      const seconds = clock.now() / SECOND_MS
      const usage = reading(seconds, seconds / 2)
      const [one] = usage.containers
      return {
        ...usage,
        containers: Array.from({ length: containers }, (_, index) => ({ ...one, id: `${index}` })),
      }
    },
  })
  await seedApp(manager, 'shop')
})
after(() => manager.close())
beforeEach(() => {
  isAway = false
  containers = 1
  clock = new TestClock(Date.parse(AT))
  usage = createUsageWatch({ ...manager.parts, clock })
})

test('while somebody looks the worker is asked, and whoever comes finds what was seen before', async () => {
  const one = view()
  const first = await one.next()
  await pass(SECOND_MS)
  const second = await one.next()
  assert.deepEqual(
    [first, second].map(each => 'containers' in each && each.containers.map(({ processors }) => processors)),
    [[null], [0.5]],
  )
  const other = view()
  assert.deepEqual([await other.next(), await other.next()], [first, second])
  await pass(5 * SECOND_MS)
  assert.deepEqual(await other.next(), await one.next())
  one.leave()
  other.leave()
})

test('nobody is asked while nobody looks, and what was seen is forgotten after ten minutes', async () => {
  const one = view()
  const seen = await one.next()
  one.leave()
  const asked = manager.recorded.told.length
  await pass(9 * MINUTE_MS)
  assert.equal(manager.recorded.told.length, asked)
  const soon = view()
  assert.deepEqual(await soon.next(), seen)
  await soon.next()
  soon.leave()
  await pass(11 * MINUTE_MS)
  const late = view()
  assert.equal(atOf(await late.next()), new Date(clock.now()).toISOString())
  late.leave()
})

test('an app of the same name that was made anew begins with nothing', async () => {
  const one = view()
  const seen = await one.next()
  one.leave()
  await pass(MINUTE_MS)
  const other = view('other')
  assert.notDeepEqual(await other.next(), seen)
  other.leave()
})

test('of a large app no more looks are kept than whoever comes can be given at once', async () => {
  containers = 200
  const one = view()
  for (let look = 0; look < 40; look += 1) {
    await one.next()
    await pass(5_000)
  }
  const other = view()
  const given: unknown[] = []
  for (let look = 0; look < 20; look += 1) {
    given.push(await other.next())
  }
  assert.equal(other.left(), 0)
  assert.ok(JSON.stringify(given).length < 2 ** 20)
  one.leave()
  other.leave()
})

test('a worker that is away is asked again; meanwhile whoever comes is told why there is nothing', async () => {
  isAway = true
  const one = view()
  assert.equal(codeOf(await one.next()), 'AGENT_OFFLINE')
  const other = view()
  assert.equal(codeOf(await other.next()), 'AGENT_OFFLINE')
  isAway = false
  await pass(5 * SECOND_MS)
  assert.ok('containers' in (await one.next()))
  assert.ok('containers' in (await other.next()))
  one.leave()
  other.leave()
})

test('a worker of an older release is not told what it does not know', async () => {
  const { agents } = manager.parts
  const agent = { name: 'local', version: '1', capabilities: ['container.logs'] }
  const asked = manager.recorded.told.length
  usage = createUsageWatch({
    ...{ ...manager.parts, clock },
    agents: { ...agents, state: () => ({ status: 'connected', agent }) as never },
  })
  const one = view()
  assert.equal(codeOf(await one.next()), 'USAGE_UNKNOWN')
  assert.equal(manager.recorded.told.length, asked)
  one.leave()
})

const CASES: readonly (readonly [string, Usage | undefined, Usage, number | null])[] = [
  ['the first reading says nothing of the processor', undefined, reading(10, 4), null],
  ['a second one says what share of the time between them was busy', reading(10, 4), reading(20, 6.5), 0.25],
  ['two processors may be busy at once', reading(10, 4), reading(11, 6), 2],
  ['one that did nothing used nothing', reading(10, 4), reading(15, 4), 0],
  ['one that was started again counts from zero', reading(10, 4), reading(15, 1), null],
  ['one that was made anew is another one', reading(10, 4), reading(15, 5, { id: 'b' }), null],
  ['the same reading twice is no time', reading(10, 4), reading(10, 4), null],
]
for (const [title, earlier, now, expected] of CASES) {
  test(title, () => {
    const figures = { memory_bytes: 1, memory_limit_bytes: 2 }
    assert.deepEqual(lookOf(now, earlier, AT), {
      at: AT,
      containers: [{ name: 'shop-1', processors: expected, ...figures }],
      left: 0,
    })
  })
}

/** A container that was read at this second of its clock, after so many busy seconds. */
function reading(readSeconds: number, busySeconds: number, changes: Partial<Reading> = {}): Usage {
  const times = { readAt: readSeconds * SECOND_MS, processorNanoseconds: busySeconds * 1e9 }
  const read = { id: 'a', name: 'shop-1', memoryBytes: 1, memoryLimitBytes: 2, ...times, ...changes }
  return { containers: [read], left: 0 }
}

/** Somebody who looks at the app, and what they are told, one after the other. */
function view(id = 'one') {
  const told: (UsageDocument | FairleadError)[] = []
  const leaving = new AbortController()
  let heard = Promise.withResolvers<void>()
  function hear(each: UsageDocument | FairleadError): void {
    told.push(each)
    heard.resolve()
    heard = Promise.withResolvers<void>()
  }
  usage.watch({ id, name: 'shop' }, { signal: leaving.signal, onLook: hear, onProblem: hear })
  return {
    async next(): Promise<UsageDocument | FairleadError> {
      for (;;) {
        const first = told.shift()
        if (first) {
          return first
        }
        await heard.promise
      }
    },
    leave: () => leaving.abort(),
    left: () => told.length,
  }
}

async function pass(ms: number): Promise<void> {
  await clock.pass(ms, async () => undefined)
}

function codeOf(told: UsageDocument | FairleadError): string | undefined {
  return 'code' in told ? told.code : undefined
}

function atOf(told: UsageDocument | FairleadError): string | undefined {
  return 'at' in told ? told.at : undefined
}
