import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { APP_NOT_FOUND } from '#manager/deployments/errors.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

let manager: TestServer
let origin = ''
before(async () => {
  manager = await testServer({
    async answer(_, params, options) {
      if ((params as { tail: number }).tail === 0) {
        throw APP_NOT_FOUND('shop')
      }
      const line = { seq: 1, at: 5, stream: 'stdout', text: 'hello\u001b[31m' } as const
      await options.onLines?.([line], 0)
      if ((params as { follow: boolean }).follow) {
        await new Promise(resolve => options.signal?.addEventListener('abort', resolve))
        cancelled()
      }
      return { container: 'c', lines: 1 }
    },
  })
  await seedApp(manager, 'shop')
  origin = await manager.server.listen({ host: '127.0.0.1', port: 0 })
})
after(() => manager.close())

let cancelled = () => {}

test('what an app prints is passed on as events, then the end', async () => {
  const text = await (await read('tail=5&follow=false')).text()
  assert.deepEqual(dataOf(text), [
    { at: '1970-01-01T00:00:00.005Z', stream: 'stdout', text: 'hello\u001b[31m' },
    {},
  ])
  assert.deepEqual(manager.recorded.told.at(-1), {
    host: 'local',
    command: 'container.logs',
    params: { app: 'shop', tail: 5, follow: false },
  })
})

test('a failure of the worker is the end, with its reason', async () => {
  const [end] = dataOf(await (await read('tail=0')).text()) as [{ error: { code: string } }]
  assert.equal(end.error.code, 'APP_NOT_FOUND')
})

test('when the reader leaves, the command on the worker is cancelled', async () => {
  const leaving = new AbortController()
  const ended = new Promise<void>(resolve => {
    cancelled = resolve
  })
  const answer = await read('tail=1', leaving.signal)
  await answer.body?.getReader().read()
  leaving.abort()
  await ended
})

async function read(query: string, signal?: AbortSignal): Promise<Response> {
  const headers = { authorization: `Bearer ${manager.token}` }
  return await fetch(`${origin}/api/v1/apps/shop/logs?${query}`, { headers, ...(signal ? { signal } : {}) })
}

function dataOf(text: string): unknown[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''))
}
