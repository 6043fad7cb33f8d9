import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEvents } from '#manager/deployments/events.ts'
import type { AgentState } from './connection-options.ts'
import { tellOfConnection } from './tell-of-connection.ts'

test('that a host is reached or lost is told once each, and tries that change nothing are not', () => {
  const events = createEvents(() => 0)
  const told: unknown[] = []
  events.subscribe(undefined, ({ kind, fields }) => void told.push([kind, fields.name, fields.state]))
  let status: AgentState['status'] = 'connecting'
  let changed: () => void = () => assert.fail('nobody listens')
  tellOfConnection(
    {
      name: 'box',
      state: () => ({ status, since: 0, attempts: 0 }),
      onChange(run) {
        changed = run
        return () => true
      },
    },
    events,
  )
  for (const next of ['connecting', 'connected', 'connected', 'connecting', 'closed'] as const) {
    status = next
    changed()
  }
  assert.deepEqual(told, [
    ['host', 'box', 'connected'],
    ['host', 'box', 'lost'],
  ])
})
