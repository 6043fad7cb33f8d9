import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { startTestAgent, testCommands } from '#agent/test-agent.ts'
import { freePort } from '#cli/demo/free-port.ts'
import type { Together } from '#cli/together.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { silentLogger } from '#lib/logger.ts'
import { temporaryFolder } from '#link/test-identities.ts'
import { AgentConnection } from '#manager/agents/connection.ts'
import { tell } from '#manager/agents/tell.ts'
import { seedApp, testServer } from '#manager/api/test-server.ts'
import { DeploymentLogs } from '#manager/deployments/logs.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { type Gate, openGate } from './world/gate.ts'
import { partProcess } from './world/part-process.ts'
import { startSystem } from './world/system.ts'

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

test('M22 a log that was cut off everywhere on its way has every line once, stored and as a client saw it', async () => {
  await using stack = new AsyncDisposableStack()
  const system = await startSystem(stack, { store: 'file' })
  const app = `lines-${process.pid}`
  const count = 20_000
  // A new text each time: the engine must not know the step.
  const print = `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo "line $i"; [ $((i % 200)) = 0 ] && sleep 0.1; done; true # ${newId()}`
  await system.addRepository(app, {
    Dockerfile: `FROM ${system.baseImage}\nRUN ${print}\nEXPOSE 8080\nCMD ["httpd", "-f", "-p", "8080"]\n`,
  })
  const manager = await partProcess(system.together().manager)
  stack.defer(manager.close)
  await manager.kill()
  const link = await leadThroughGate(system.folder)
  stack.defer(link.close)
  await manager.start()
  const { id } = await system.together().client.send<{ id: string }>('POST', `/apps/${app}/deploy`, {})
  const client = followLog(system.together(), id)
  stack.defer(client.close)
  await client.reaches(3000)
  await link.close()
  await systemClock.sleep(500)
  await link.open()
  await client.reaches(7000)
  client.cut()
  await client.reaches(10_000)
  await manager.kill()
  await systemClock.sleep(300)
  await manager.start()
  await client.reaches(14_000)
  await Promise.all([link.close(), manager.kill()])
  await link.open()
  await manager.start()
  await client.ended
  const wanted = Array.from({ length: count }, (_, index) => `line ${index + 1}`)
  const numbered = (text: string) => /\bline \d+$/.exec(text)?.[0] ?? []
  assert.deepEqual(client.lines.flatMap(numbered), wanted)
  assert.deepEqual((await system.logOf(id)).split('\n').flatMap(numbered), wanted)
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

/** Leads the way from a manager that is not running to its worker through a gate. */
async function leadThroughGate(folder: string): Promise<Gate> {
  const [database] = (await readdir(folder, { recursive: true })).filter(path =>
    path.endsWith('/fairlead.db'),
  )
  const db = new DatabaseSync(join(folder, String(database)))
  const worker = new URL(`tcp://${db.prepare('select address from hosts').get()?.address}`)
  const port = await freePort()
  db.prepare('update hosts set address = ?').run(`127.0.0.1:${port}`)
  db.close()
  return await openGate({ host: '127.0.0.1', port }, { host: worker.hostname, port: Number(worker.port) })
}

/** A client of the log's event stream that comes back after each break, from where it was. */
function followLog({ url, tokenFile }: Together, id: string) {
  const lines: string[] = []
  const stop = new AbortController()
  let last = ''
  let breaking = new AbortController()
  async function read(): Promise<boolean> {
    breaking = new AbortController()
    const token = (await readFile(tokenFile, 'utf8')).trim()
    const resume = last === '' ? {} : { 'last-event-id': last }
    const answer = await fetch(`${url}/api/v1/deployments/${id}/log`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...resume },
      signal: AbortSignal.any([breaking.signal, stop.signal]),
    })
    let rest = ''
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const events = (rest + chunk).split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(event)?.[1]
        if (field('event') === 'end') {
          return true
        }
        const data = field('data')
        if (data !== undefined) {
          last = field('id') ?? last
          lines.push((JSON.parse(data) as { text: string }).text)
        }
      }
    }
    return false
  }
  async function follow(): Promise<void> {
    while (!stop.signal.aborted && !(await read().catch(() => false))) {
      await systemClock.sleep(50)
    }
  }
  const ended = follow()
  return {
    lines,
    ended,
    /** Breaks its connection. */
    cut: () => breaking.abort(),
    async reaches(count: number) {
      while (lines.length < count && !stop.signal.aborted) {
        await systemClock.sleep(20)
      }
    },
    async close() {
      stop.abort()
      await ended
    },
  }
}
