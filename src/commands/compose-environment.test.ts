import assert from 'node:assert/strict'
import { test } from 'node:test'
import { environmentChanges } from './compose-environment.ts'

test('variables of services that stay are compared by name, and no value is told', () => {
  const before = {
    services: { web: { environment: { KEPT: 'a', GONE: 'b', KEY: 'secret-1', COUNT: 1 } }, old: {} },
  }
  const after = {
    services: {
      web: { environment: { KEPT: 'a', KEY: 'secret-2', COUNT: '1', NEW: '' } },
      fresh: { environment: { A: '1' } },
    },
  }
  const changes = environmentChanges(before, after)
  assert.deepEqual(
    changes.map(({ service, name, change }) => `${service} ${name} ${change}`),
    ['web GONE removed', 'web KEY changed', 'web NEW added'],
  )
  assert.doesNotMatch(JSON.stringify(changes), /secret-/)
})
