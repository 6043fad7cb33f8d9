import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { ENGINE_REFUSED } from '#exec/errors.ts'
import { TestClock } from '#lib/test-clock.ts'
import { type ContainerFacts, readContainer } from '#programs/docker-containers.ts'
import type { Hands } from './command.ts'
import { type ShownLogs, showLogs } from './show-logs.ts'

interface Asked {
  readonly id: string
  readonly query: Readonly<Record<string, unknown>>
  print(text: string): void
  /** The engine's answer ends: the container did. */
  end(error?: Error): void
}

let clock: TestClock
let asked: Asked[]
let said: string[]
let present: ContainerFacts[]

beforeEach(() => {
  clock = new TestClock(Date.UTC(2026, 0, 1))
  asked = []
  said = []
  present = [container('old', 1)]
})

test('who follows an app sees the containers of a deployment from their first line, and the end of the old ones', async () => {
  const shown = show({ tail: 5, follow: true })
  asked[0]?.print('old 1')
  await pass(60_000)
  present = [container('new', 2), ...present]
  await pass(1000)
  asked[1]?.print('new 1')
  asked[0]?.print('old 2')
  asked[0]?.end()
  present = [container('new', 2)]
  await pass(60_000)
  asked[1]?.print('new 2')
  assert.deepEqual(said, ['old: old 1', 'new: new 1', 'old: old 2', 'new: new 2'])
  assert.deepEqual(
    asked.map(({ id, query }) => [id, query.tail, query.since]),
    [
      ['old', 5, undefined],
      ['new', undefined, undefined],
    ],
  )
  asked[1]?.end()
  await pass(6000)
  assert.equal(await shown, 4)
})

test('it waits in the pause between two containers, and while the engine starts one again', async () => {
  const shown = show({ follow: true })
  asked[0]?.end()
  present = []
  await pass(3000)
  present = [container('new', 2)]
  await pass(1000)
  asked[1]?.end()
  present = [container('new', 2, 'restarting')]
  await pass(60_000)
  present = [container('new', 70)]
  await pass(1000)
  assert.equal(asked[2]?.query.since, '1767225669.950')
  asked[2]?.end()
  await pass(6000)
  assert.equal(await shown, 0)
})

test('what was there and was not chosen is not shown, nor what was only created; without follow it ends', async () => {
  const [old] = present
  present.push(container('standby', 0), container('created', Number.NaN))
  const shown = show({ follow: true, first: old ? [old] : [] })
  await pass(2000)
  assert.deepEqual(
    asked.map(({ id }) => id),
    ['old'],
  )
  asked[0]?.end()
  await pass(6000)
  await shown
  const once = show({ follow: false })
  asked[1]?.end()
  asked[2]?.end()
  asked[3]?.end()
  assert.equal(await once, 0)
})

test('an engine that refuses is an error, a new container that is gone again is none', async () => {
  const refused = ENGINE_REFUSED('logs', 500, 'no')
  const shown = show({ follow: true })
  present = [container('new', 2), ...present]
  await pass(1000)
  asked[1]?.end(ENGINE_REFUSED('logs', 404, 'gone'))
  await pass(1000)
  asked[0]?.end(refused)
  const failed = assert.rejects(shown, refused)
  await pass(1000)
  await failed
})

function show(wanted: Partial<ShownLogs>): Promise<number> {
  return showLogs(hands(), {
    ...{ first: present, present: [...present], find: async () => present, tail: 100, follow: true },
    longestMs: 3_600_000,
    say: ({ name }, text) => void said.push(`${name}: ${text}`),
    ...wanted,
  })
}

function hands(): Hands {
  const perform: Hands['perform'] = async call => {
    assert.equal(call.kind, 'request')
    const { path, query = {}, stream, read } = call as Extract<typeof call, { kind: 'request' }>
    const ended = Promise.withResolvers<void>()
    asked.push({
      id: path.split('/')[2] ?? '',
      query,
      print: text => stream?.onEvent({ kind: 'line', stream: 'stdout', text }),
      end: error => (error ? ended.reject(error) : ended.resolve()),
    })
    await ended.promise
    return read({ status: 200, headers: {}, text: '', json: undefined } as never)
  }
  return { perform, clock, signal: new AbortController().signal, host: { dockerSocket: '/x' } } as never
}

function container(name: string, startedSeconds: number, state = 'running'): ContainerFacts {
  const startedAt = Number.isNaN(startedSeconds)
    ? '0001-01-01T00:00:00Z'
    : new Date(Date.UTC(2026, 0, 1) + startedSeconds * 1000).toISOString()
  return readContainer({ Id: name, Name: `/${name}`, State: { Status: state, StartedAt: startedAt } })
}

async function pass(ms: number): Promise<void> {
  await clock.pass(ms, async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      await new Promise(setImmediate)
    }
  })
}
