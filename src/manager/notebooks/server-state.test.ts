import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { serverState } from './server-state.ts'

test('a badge says idle of what a visitor wakes, and failed of what ended by itself', () => {
  const stateOf = (...states: string[]) =>
    serverState({
      status: 'live',
      at_work: 0,
      observed: JSON.stringify({ since: 0, containers: states.map(state => ({ state })) }),
    })
  equal(stateOf(), 'live')
  equal(stateOf('running'), 'live')
  equal(stateOf('asleep'), 'idle')
  equal(stateOf('exited'), 'failed')
  equal(stateOf('exited', 'running'), 'live')
  equal(serverState({ status: 'live', at_work: 1, observed: null }), 'starting')
  equal(serverState({ status: 'building', at_work: 0, observed: null }), 'starting')
})
