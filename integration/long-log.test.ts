import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startTestAgent, testCommands } from '#agent/test-agent.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { silentLogger } from '#lib/logger.ts'
import { temporaryFolder } from '#link/test-identities.ts'
import { AgentConnection } from '#manager/agents/connection.ts'
import { tell } from '#manager/agents/tell.ts'
import { seedApp, testServer } from '#manager/api/test-server.ts'
import { DeploymentLogs } from '#manager/deployments/logs.ts'
import { requestDeployment } from '#manager/deployments/request.ts'

const MIB = 1024 * 1024

test('P10 M21 a command that prints 200 MB keeps both ends flat, and its log its beginning and end', async t => {
  const agent = await startTestAgent(t)
  const connection = new AgentConnection({
    address: agent.address,
    identity: agent.manager,
    pin: agent.pin,
    epoch: () => 1,
    commands: testCommands(agent.stage),
    clock: systemClock,
    logger: silentLogger,
  })
  t.after(() => connection.close())
  const logs = new DeploymentLogs(join(temporaryFolder(t), 'logs'))
  const print = async (deployment: string, lines: number) => {
    const id = newId()
    await tell(connection, {
      id,
      command: 'test.chatty',
      params: { lines, size: 10_000 },
      deadlineMs: 300_000,
      waitMs: 20_000,
      onLines: (got, dropped) =>
        logs.append(
          deployment,
          got.map(({ at, stream, text, seq }) => ({
            at,
            step: dropped > 0 ? 'gap' : 'build',
            stream,
            text,
            command: id,
            commandSeq: seq,
          })),
        ),
    })
  }
  await print('warm', 1000)
  const memory = watchMemory(t)
  await print('long', 20_000)
  // Both ends are in this process.
  assert.ok(memory.grown() < 2 * 64 * MIB, `grew by ${Math.round(memory.grown() / MIB)} MiB`)
  const lines: number[] = []
  let bytes = 0
  for await (const { commandSeq, text } of logs.read('long')) {
    bytes += text.length
    lines.push(...(commandSeq === undefined ? [] : [commandSeq]))
  }
  assert.deepEqual([lines[0], lines.at(-1)], [1, 20_000])
  assert.deepEqual(
    lines,
    [...new Set(lines)].sort((a, b) => a - b),
  )
  assert.ok(bytes < 40 * MIB)
})

test('P10 a client that does not read its event stream costs the manager no memory, and misses nothing', async t => {
  const manager = await testServer()
  t.after(() => manager.close())
  const { app } = await seedApp(manager, 'shop')
  const trigger = { kind: 'api', by: 'test' } as const
  const { id } = await requestDeployment(manager.parts, { appId: app, kind: 'deploy', trigger })
  const append = async (count: number) => {
    const piece = Array.from(
      { length: 20 },
      () => ({ at: 1, step: 'build', stream: 'stdout', text: 'x'.repeat(10_000) }) as const,
    )
    for (let left = count; left > 0; left -= piece.length) {
      await manager.parts.logs.append(id, piece)
    }
  }
  const url = new URL(await manager.server.listen({ host: '127.0.0.1', port: 0 }))
  await append(500)
  const headers = { authorization: `Bearer ${manager.token}`, accept: 'text/event-stream' }
  const path = `/api/v1/deployments/${id}/log`
  const memory = watchMemory(t)
  const request = httpRequest({ host: url.hostname, port: url.port, path, headers, agent: false }).end()
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  answer.pause()
  await append(1500)
  await systemClock.sleep(200)
  assert.ok(memory.grown() < 64 * MIB, `grew by ${Math.round(memory.grown() / MIB)} MiB`)
  const seqs: number[] = []
  let rest = ''
  for await (const chunk of answer.setEncoding('utf8')) {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    seqs.push(...parts.flatMap(line => (line.startsWith('id: ') ? [Number(line.slice(4))] : [])))
    if (seqs.at(-1) === 2000) {
      break
    }
  }
  assert.deepEqual(
    seqs,
    Array.from({ length: 2000 }, (_, index) => index + 1),
  )
})

function watchMemory(t: TestContext): { grown(): number } {
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  let most = before
  const watching = systemClock.every(20, () => {
    most = Math.max(most, process.memoryUsage().rss)
  })
  t.after(() => watching.close())
  return { grown: () => most - before }
}
