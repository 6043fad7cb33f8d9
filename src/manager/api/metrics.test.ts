import { doesNotMatch, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '#lib/id.ts'
import { testServer } from './test-server.ts'

test('metrics are for those who may look, and tell of queue, steps, webhooks, agents, journal and process', async () => {
  const { server, parts, ask, close } = await testServer()
  const { db } = parts
  const [host] = await db.selectFrom('hosts').selectAll().execute()
  await db
    .insertInto('hosts')
    .values({ ...host, name: 'gone', revoked_at: 1 } as never)
    .execute()
  try {
    equal((await server.inject({ method: 'GET', url: '/metrics' })).statusCode, 401)
    const first = await ask('GET', '/metrics')
    equal(first.statusCode, 200)
    match(String(first.headers['content-type']), /^text\/plain; version=0\.0\.4/)
    match(first.body, /^fairlead_deployments\{state="queued"\} 0$/m)
    match(first.body, /^fairlead_host_connected\{host="local",role="worker"\} [01]$/m)
    doesNotMatch(first.body, /host="gone"/, 'it would be away for ever')
    match(first.body, /^fairlead_commands_told 0$/m)
    match(first.body, /^fairlead_outbox_waiting 0$/m)
    match(first.body, /^fairlead_store_bytes \d/m)
    match(first.body, /^process_resident_memory_bytes [1-9]/m)
    doesNotMatch(first.body, /^process_(open_fds|heap_bytes|virtual_memory_bytes) /m)
    match(first.body, /^fairlead_deployments_ended_total\{state="succeeded"\} 0$/m)
    doesNotMatch(first.body, /fairlead_step_seconds_count/)

    const deployment = newId()
    for (const state of ['running', 'done']) {
      parts.events.publish('step', { deployment, app: 'shop', step: 'build', state })
    }
    parts.events.publish('deployment', { id: deployment, app: 'shop', state: 'running' })
    parts.events.publish('deployment', { id: deployment, app: 'shop', state: 'failed' })
    const refused = await server.inject({ method: 'POST', url: `/hooks/${'0'.repeat(32)}`, payload: {} })
    equal(refused.statusCode >= 400 && refused.statusCode < 500, true)

    const second = (await ask('GET', '/metrics')).body
    match(second, /^fairlead_step_seconds_count\{step="build",state="done"\} 1$/m)
    match(second, /^fairlead_deployments_ended_total\{state="failed"\} 1$/m)
    match(second, /^fairlead_webhook_deliveries_total\{result="refused"\} 1$/m)
    doesNotMatch(second, /state="running"\} 1/)
  } finally {
    await close()
  }
})
