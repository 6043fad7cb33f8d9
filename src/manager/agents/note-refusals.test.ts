import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AGENT_BUSY, BAD_PARAMS, FORBIDDEN_COMMAND } from '#agent/errors.ts'
import { PORT_REFUSED } from '#commands/container-errors.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { silentLogger } from '#lib/logger.ts'
import type { AuditLine } from '#manager/audit/audit.ts'
import { noteRefusals } from './note-refusals.ts'
import { connectTo, FakeAgent, until } from './test-agent.ts'

function notes() {
  const lines: AuditLine[] = []
  const add = async (line: AuditLine) => void lines.push(line)
  return { lines, ...noteRefusals({ audit: { add }, clock: systemClock, logger: silentLogger }) }
}

test('X01 what a host refuses to do is in the audit log, and what only failed is not', () => {
  const { lines, refused } = notes()
  const told = { id: newId(), command: 'container.start' }
  refused('box', told, PORT_REFUSED(22, '1024-65535'))
  refused('box', told, BAD_PARAMS('The command container.start', 'privileged is unknown'))
  refused('box', told, FORBIDDEN_COMMAND('firewall.apply', 'worker'))
  refused('box', told, AGENT_BUSY(16))
  refused('box', told, new Error('disk full'))
  assert.deepEqual(
    lines.map(({ request, who, action, target, result, status }) => [
      ...[request, who, action, target.split(':')[1]?.trim(), result],
      status,
    ]),
    [
      [told.id, 'manager', 'TOLD container.start', 'PORT_REFUSED', 'refused', 403],
      [told.id, 'manager', 'TOLD container.start', 'BAD_PARAMS', 'refused', 422],
      [told.id, 'manager', 'TOLD container.start', 'FORBIDDEN_COMMAND', 'refused', 403],
    ],
  )
})

test('X02 X03 what an agent must not send is in the audit log, twenty lines of each host within a minute', async t => {
  const { lines, odd, watch } = notes()
  const host = { name: 'box', address: '10.0.0.7:7443' }
  const agent = new FakeAgent(t)
  const { connection } = await connectTo(t, agent, { onOdd: why => odd(host, why) })
  watch(host, connection)
  await connection.link({ waitMs: 20_000 })
  agent.sessions[0]?.send('secrets.get', { host: 'other', name: 'TOKEN' })
  for (let sent = 0; sent < 200; sent++) {
    agent.sessions[0]?.send('accepted', { id: newId(), command: 'test.echo', state: 'running' })
  }
  await until(connection, () => connection.state().lastError?.code === 'AGENT_MISBEHAVES')
  assert.match(lines[0]?.target ?? '', /agents send no "secrets\.get"/)
  assert.match(lines.at(-1)?.target ?? '', /^AGENT_MISBEHAVES/)
  assert.equal(lines.length, 11)
  assert.ok(lines.every(({ who, address }) => who === 'agent box' && address === host.address))
  for (let sent = 0; sent < 200; sent++) {
    odd(host, 'again')
  }
  assert.equal(lines.length, 20)
  odd({ ...host, name: 'other' }, 'of another host')
  assert.equal(lines.length, 21)
})
