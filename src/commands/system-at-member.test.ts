import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer } from '#exec/recorder.ts'
import { newId } from '#lib/id.ts'
import { SYSTEM_KEY } from '#programs/incus-system.ts'
import type { Hands } from './command.ts'
import { type TestHands, testHands } from './recorded-hands.test.ts'
import { systemStop } from './system-state.ts'

const ID = newId()
const STOPPED = {
  ...{ name: 'ada', status: 'Stopped', location: 'k2' },
  config: { [SYSTEM_KEY.id]: ID, [SYSTEM_KEY.whole]: 'true' },
}
const EVACUATING = { id: 'o1', status_code: 103, description: 'Evacuating cluster member', location: 'k2' }
/** Longer than it is waited. */
const FOR_EVER = 10_000

test('a change of what is on a member that is being emptied waits for that, and says so where it takes too long', async () => {
  const hands = handsWhile(FOR_EVER, EVACUATING)
  await assert.rejects(stopped(hands), { code: 'SYSTEM_MEMBER_BUSY' })
  assert.equal(hands.clock.monotonic(), 240_000)
})

test('it goes on once the member is free; what goes on at another one is no reason to wait', async () => {
  const soon = handsWhile(3, EVACUATING)
  await stopped(soon)
  assert.equal(soon.clock.monotonic(), 1_500)
  const elsewhere = handsWhile(FOR_EVER, { ...EVACUATING, location: 'k1' })
  await stopped(elsewhere)
  assert.equal(elsewhere.clock.monotonic(), 0)
})

/** The daemon is at work with something for so many questions. */
function handsWhile(questions: number, operation: object): TestHands {
  let asked = 0
  return testHands([
    ['GET incus /1.0/instances', replied([STOPPED])],
    ['PATCH incus /1.0/instances/', replied({})],
    ['GET incus /1.0/operations', () => replied(asked++ < questions ? { running: [operation] } : {})],
  ])
}

function replied(metadata: unknown): Answer {
  return { status: 200, json: { type: 'sync', metadata } }
}

async function stopped(hands: TestHands): Promise<unknown> {
  const systems = { socket: '/incus', pool: 'p', network: 'n', address: '', backups: '', imageServer: '' }
  const host = { ...hands.host, systems }
  return await systemStop.run({ ...hands, host } as Hands, { id: ID, name: 'ada' })
}
