import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { containerWatch } from './container.ts'
import { CONTAINER_NOT_STEADY } from './container-errors.ts'
import { testHands } from './recorded-hands.test.ts'

const ID = 'c'.repeat(64)
const SEEN = { id: ID, name: 'shop-web-2', service: 'web', startedAt: 'at noon', restarts: 1 }
const WELL = { status: 'running', startedAt: 'at noon', health: 'healthy', restarts: 1 }

type State = Partial<typeof WELL> & { exitCode?: number }

describe('a watched container', () => {
  test('that stays as it was seen is evidence when the time is over', async () => {
    const { result, slept } = await watch([WELL])
    assert.deepEqual([result, slept], [{ watchedMs: 30_000, containers: ['shop-web-2'] }, 30_000])
  })

  for (const [what, after, said] of [
    ['turns unhealthy', { health: 'unhealthy' }, /exit code 1: no database/],
    ['is started again by the engine', { restarts: 2 }, /started again/],
    ['is started again by somebody', { startedAt: 'later' }, /started again/],
    ['ends', { status: 'exited', exitCode: 137 }, /exited, exit code 137/],
    ['ends with 0 although it must run', { status: 'exited' }, /exited, exit code 0/],
    ['is stopped for a while', { status: 'paused' }, /paused/],
  ] as const) {
    test(`that ${what} after 20 s fails at once, with its last lines`, async () => {
      const { error, slept } = await watch([...Array(41).fill(WELL), { ...WELL, ...after }])
      assert.ok(CONTAINER_NOT_STEADY.matches(error), String(error))
      assert.match(error.message, said)
      assert.deepEqual([error.facts?.service, error.facts?.log], ['web', ['last words']])
      assert.equal(slept, 20_500)
    })
  }

  test('may end with 0 when that is all it has to do', async () => {
    const { error } = await watch([{ ...WELL, status: 'exited', exitCode: 0 }], ['web'])
    assert.equal(error, undefined)
    const { error: failed } = await watch([{ ...WELL, status: 'exited', exitCode: 1 }], ['web'])
    assert.ok(CONTAINER_NOT_STEADY.matches(failed))
  })

  test('that was removed is said to be', async () => {
    const { error } = await watch([undefined])
    assert.match(String(error), /somebody removed it/)
  })
})

async function watch(states: readonly (State | undefined)[], mayComplete: string[] = []) {
  const hands = testHands([
    [
      `GET docker /containers/${ID}/logs`,
      { events: [{ kind: 'line', stream: 'stdout', text: 'last words' }] },
    ],
    [
      `GET docker /containers/${ID}/json`,
      states.map(state => (state ? { json: inspected(state) } : { status: 404 })),
    ],
  ])
  const data = { app: 'shop', containers: [SEEN], mayComplete, forMs: 30_000 }
  const ended = await containerWatch.run(hands, data).then(
    result => ({ result, error: undefined }),
    (error: unknown) => ({ result: undefined, error }),
  )
  return { ...ended, slept: hands.clock.monotonic() }
}

function inspected({ status, exitCode = 0, startedAt, health, restarts }: State): object {
  return {
    Id: ID,
    Name: '/shop-web-2',
    RestartCount: restarts,
    State: {
      Status: status,
      ExitCode: exitCode,
      StartedAt: startedAt,
      Health: { Status: health, Log: [{ ExitCode: 1, Output: 'no database' }] },
    },
  }
}
