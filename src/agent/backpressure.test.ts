import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { COMMAND_WINDOW_BYTES, SESSION_WINDOW_BYTES } from '#link/limits.ts'
import { startTestAgent } from './test-agent.ts'
import { TestManager } from './test-manager.ts'

const MIB = 1024 * 1024
/** 200 MB of log. */
const CHATTY = { lines: 20_000, size: 10_000 }

async function until(fits: () => boolean): Promise<void> {
  while (!fits()) {
    await systemClock.sleep(10)
  }
}

for (const manner of ['reads nothing', 'acknowledges nothing'] as const) {
  test(`M21 P10 a manager that ${manner} costs an agent no memory and no command`, async t => {
    const agent = await startTestAgent(t)
    const manager = new TestManager(t, agent)
    await manager.open()
    const warm = manager.tell('test.chatty', { lines: 500, size: 10_000 })
    await until(() => agent.stage.done.length === 1)
    manager.send('leave', { id: warm })
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    let most = before
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss)
    }, 20)
    const id = manager.tell('test.chatty', CHATTY)
    if (manner === 'reads nothing') {
      await manager.frame('accepted', data => data.id === id)
      manager.socket.pause()
    }
    await until(() => agent.stage.done.length === 2)
    clearInterval(watch)
    assert.ok(most - before < 64 * MIB, `grew by ${Math.round((most - before) / MIB)} MiB`)
    if (manner === 'acknowledges nothing') {
      const bytes = JSON.stringify(manager.lines(id)).length
      assert.ok(bytes > 0 && bytes < 2 * COMMAND_WINDOW_BYTES)
    }
  })
}

test('M21 eight commands that nobody acknowledges stay within the window of the session', async t => {
  const agent = await startTestAgent(t)
  const manager = new TestManager(t, agent)
  await manager.open()
  const ids = Array.from({ length: 8 }, () => manager.tell('test.chatty', { lines: 500, size: 10_000 }))
  await until(() => agent.stage.done.length === 8)
  const bytes = ids.reduce((sum, id) => sum + JSON.stringify(manager.lines(id)).length, 0)
  assert.ok(bytes < SESSION_WINDOW_BYTES + 8 * 128 * 1024)

  const other = manager.tell('test.echo', { text: 'x' })
  for (const id of ids) {
    manager.send('leave', { id })
  }
  assert.equal((await manager.ending(other)).command, 'result')
})

test('M21 acknowledging opens the window again, up to the last line', async t => {
  const agent = await startTestAgent(t)
  const manager = new TestManager(t, agent)
  manager.socket.on('message', () => {
    const last = manager.received.at(-1)
    if (last?.command === 'progress') {
      const lines = last.data.lines as { seq: number }[]
      manager.send('ack', { id: last.data.id, seq: lines.at(-1)?.seq })
    }
  })
  await manager.open()
  const id = manager.tell('test.chatty', { lines: 1_000, size: 10_000 })
  await manager.ending(id)
  assert.deepEqual(
    manager.lines(id).map(({ seq }) => seq),
    Array.from({ length: 1_000 }, (_, index) => index + 1),
  )
})
