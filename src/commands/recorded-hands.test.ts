import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call, Perform } from '#exec/call.ts'
import { type Answers, createRecorder, type Recorder } from '#exec/recorder.ts'
import type { Clock } from '#lib/clock.ts'
import { handsForCleanUp } from './clean-up.ts'
import type { Hands, HostPolicy, Switchboard } from './command.ts'

/** Hands for the tests of this folder. */
export interface TestHands extends Hands {
  readonly recorder: Recorder
  readonly said: string[]
  /** Where a name points; change it to what a test needs. */
  readonly board: Map<string, { ip: string; deployment: string }>
  cancel(): void
}

export const SLOTS = ['10.1.0.16', '10.1.0.17'] as const

/** Hands that perform nothing: calls are answered from a table, time passes only by sleeping. */
export function testHands(answers: Answers, policy: Partial<HostPolicy> = {}): TestHands {
  const recorder = createRecorder(answers)
  const controller = new AbortController()
  const said: string[] = []
  const board: TestHands['board'] = new Map()
  const performUntil =
    (signal: AbortSignal): Perform =>
    async call => {
      signal.throwIfAborted()
      return recorder.perform(call)
    }
  return {
    recorder,
    said,
    board,
    cancel: () => controller.abort(new Error('cancelled')),
    id: 'test',
    perform: performUntil(controller.signal),
    performUntil,
    say: text => said.push(text),
    signal: controller.signal,
    clock: sleepingClock(),
    host: {
      name: 'box',
      workspace: '/workspace',
      dockerSocket: '/run/docker.sock',
      dockerHome: '/home',
      network: { name: 'fairlead', subnet: '10.1.0.0/16' },
      proxy: undefined,
      policy: {
        mode: 'enforce',
        ports: { from: 20_000, to: 29_999, never: [] },
        allowPrivate: [],
        registries: [],
        ...policy,
      },
      switchboard: switchboardOn(board),
    },
  }
}

function switchboardOn(board: TestHands['board']): Switchboard {
  return {
    slots: async () => SLOTS,
    ports: async () => [20_000, 20_001],
    point: async (name, target) => {
      board.set(name, target)
    },
    forget: async name => {
      board.delete(name)
    },
    current: name => board.get(name),
    earlier: { of: () => [], all: () => [], mark: async () => {} },
  }
}

function sleepingClock(): Clock {
  let now = 0
  return {
    now: () => now,
    monotonic: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      now += ms
    },
    after: () => ({ close: () => {} }),
    every: () => ({ close: () => {} }),
  }
}

test('a cancel ends what a command does but not its clean-up', async () => {
  const hands = testHands([['lookup', { addresses: ['10.0.0.1'] }]])
  const call: Call<number> = {
    kind: 'lookup',
    host: 'a',
    timeoutMs: 1,
    read: found => found.addresses.length,
  }
  assert.equal(await hands.perform(call), 1)
  hands.cancel()
  await assert.rejects(hands.perform(call), /cancelled/)
  assert.equal(await handsForCleanUp(hands, 1_000).perform(call), 1)
})
