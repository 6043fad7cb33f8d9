import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineAnswer } from '#exec/call.ts'
import { listMembers, memberOperations, ownMember } from './incus-cluster.ts'

function answer(metadata: unknown): EngineAnswer {
  return { status: 200, headers: {}, text: '', json: { type: 'sync', metadata } } as unknown as EngineAnswer
}

test('a daemon alone is in no cluster', () => {
  const { read } = ownMember('/s')
  assert.equal(read(answer({ server_name: '', enabled: false })), undefined)
  assert.equal(read(answer({ server_name: 'k1', enabled: true })), 'k1')
})

test('a member is reached at the address that somebody wrote down for it, else at its cluster address', () => {
  const members = listMembers('/s').read(
    answer([
      { server_name: 'k1', status: 'Online', url: 'https://10.0.0.1:8443', config: {} },
      { server_name: 'k2', status: 'Offline', url: 'https://[fd00::2]:8443', message: 'No heartbeat' },
      { server_name: 'k3', status: 'Evacuated', url: '', config: { 'user.fairlead.address': '192.0.2.3' } },
    ]),
  )
  assert.deepEqual(
    members.map(({ name, status, address }) => [name, status, address]),
    [
      ['k1', 'online', '10.0.0.1'],
      ['k2', 'offline', 'fd00::2'],
      ['k3', 'evacuated', '192.0.2.3'],
    ],
  )
})

test('only what empties a member or fills it again is waited for, while it goes on', () => {
  const operations = {
    running: [
      { id: 'a', description: 'Evacuating cluster member', status_code: 103, location: 'k1' },
      { id: 'd', description: 'Evacuating cluster member', status_code: 103, location: 'k2' },
      { id: 'b', description: 'Starting instance', status_code: 103, location: 'k1' },
    ],
    success: [{ id: 'c', description: 'Restoring cluster member', status_code: 200, location: 'k1' }],
  }
  assert.deepEqual(memberOperations('/s', 'k1').read(answer(operations)), ['/1.0/operations/a'])
  assert.deepEqual(memberOperations('/s', 'k1').read(answer(null)), [])
})
