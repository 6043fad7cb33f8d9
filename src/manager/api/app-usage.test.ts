import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { seedApp, type TestServer, testServer } from './test-server.ts'

let manager: TestServer
let origin = ''
const USED = { memoryBytes: 5, memoryLimitBytes: 9, processorNanoseconds: 7 }

before(async () => {
  manager = await testServer({
    answer: () => ({ containers: [{ id: 'a', name: 'shop-1', readAt: 1, ...USED }], left: 0 }),
  })
  await seedApp(manager, 'shop')
  await seedApp(manager, 'picture')
  await manager.parts.db.updateTable('apps').set({ target: 'image' }).where('name', '=', 'picture').execute()
  origin = await manager.server.listen({ host: '127.0.0.1', port: 0 })
})
after(() => manager.close())

test('what an app uses comes as events', async () => {
  const { data } = await firstEvent('shop')
  assert.deepEqual(JSON.parse(data).containers, [
    { name: 'shop-1', processors: null, memory_bytes: 5, memory_limit_bytes: 9 },
  ])
  assert.deepEqual(manager.recorded.told.at(-1), {
    host: 'local',
    command: 'container.usage',
    params: { app: 'shop' },
  })
})

test('of what runs in no container it is said why there are no figures', async () => {
  const { name, data } = await firstEvent('picture')
  assert.deepEqual([name, JSON.parse(data).error.code], ['problem', 'USAGE_NOT_AVAILABLE'])
})

async function firstEvent(app: string): Promise<{ name: string; data: string }> {
  const response = await fetch(`${origin}/api/v1/apps/${app}/usage`, {
    headers: { authorization: `Bearer ${manager.token}` },
  })
  assert.equal(response.status, 200)
  let text = ''
  // Leaving the loop ends the stream.
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part
    const [, name = 'message', data] = /^(?:event: (\w+)\n)?data: (.*)\n\n/m.exec(text) ?? []
    if (data !== undefined) {
      return { name, data }
    }
  }
  throw new Error(`The stream ended: ${text}`)
}
