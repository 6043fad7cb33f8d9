import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer } from '#exec/recorder.ts'
import { newId } from '#lib/id.ts'
import { SYSTEM_KEY } from '#programs/incus-system.ts'
import type { Hands } from './command.ts'
import { type TestHands, testHands } from './recorded-hands.test.ts'
import { systemForget, systemSnapshot } from './system-snapshots.ts'

const ID = newId()
const FOUND = { name: 'ada', status: 'Running', config: { [SYSTEM_KEY.id]: ID, [SYSTEM_KEY.whole]: 'true' } }
const PATH = '/1.0/instances/ada/snapshots'
const BUSY: Answer = {
  status: 400,
  json: { type: 'error', error: 'Instance is busy running a "snapshot" operation' },
}

test('R73 a snapshot waits while Incus takes a scheduled one, and has its name only when it is whole', async () => {
  const hands = handsWith([], [BUSY, BUSY, replied({})])
  await run(systemSnapshot, hands)
  assert.deepEqual(changesOf(hands), [
    ...Array<string>(3).fill(`POST incus ${PATH}`),
    `POST incus ${PATH}/kept.half`,
  ])
  const [taken] = hands.recorder.calls.flatMap(call =>
    call.kind === 'request' && call.path === PATH && call.method === 'POST' ? [call.body] : [],
  )
  assert.equal((taken as { name: string }).name, 'kept.half')
  assert.equal(hands.clock.monotonic(), 400)
})

test('R73 one that Incus stays busy with is told of as refused, in its words', async () => {
  await assert.rejects(run(systemSnapshot, handsWith([], [BUSY])), {
    code: 'SYSTEM_FAILED',
    message: /is busy/,
  })
})

test('R73 what was left of one that broke off goes before it is taken again; a whole one is not taken twice', async () => {
  const broken = handsWith(['kept.half'], [replied({})])
  await run(systemSnapshot, broken)
  assert.deepEqual(changesOf(broken), [
    `DELETE incus ${PATH}/kept.half`,
    `POST incus ${PATH}`,
    `POST incus ${PATH}/kept.half`,
  ])
  const whole = handsWith(['kept'], [])
  await run(systemSnapshot, whole)
  assert.deepEqual(changesOf(whole), [])
})

test('R73 with a snapshot goes what was left of it', async () => {
  const hands = handsWith(['kept', 'kept.half', 'other'], [])
  await run(systemForget, hands)
  assert.deepEqual(changesOf(hands), [`DELETE incus ${PATH}/kept.half`, `DELETE incus ${PATH}/kept`])
})

/** How Incus answers those who ask for a snapshot, one after the other. */
function handsWith(there: readonly string[], taking: readonly Answer[]): TestHands {
  return testHands([
    [`GET incus ${PATH}`, replied(there.map(name => ({ name, created_at: '' })))],
    ['GET incus /1.0/instances', replied([FOUND])],
    ['GET incus /1.0/operations', replied({})],
    [`POST incus ${PATH}/`, replied({})],
    [`POST incus ${PATH}`, taking],
    [`DELETE incus ${PATH}/`, replied({})],
  ])
}

function changesOf({ recorder }: TestHands): string[] {
  return recorder.shown.filter(line => !line.startsWith('GET '))
}

function replied(metadata: unknown): Answer {
  return { status: 200, json: { type: 'sync', metadata } }
}

async function run(command: typeof systemSnapshot, hands: TestHands): Promise<unknown> {
  const systems = { socket: '/incus', pool: 'p', network: 'n', address: '', backups: '', imageServer: '' }
  const host = { ...hands.host, systems }
  return await command.run({ ...hands, host } as Hands, { id: ID, name: 'ada', snapshot: 'kept' })
}
