import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { effectScope } from 'vue'
import { newId } from '#lib/id.ts'
import { seedApp, type TestServer, testServer } from '#manager/api/test-server.ts'
import { type LiveEvent, tell } from './live.ts'
import { keepToken } from './token.ts'
import { useList } from './use-list.ts'
import { useQuery } from './use-query.ts'

const EVENT: LiveEvent = { at: '2026-01-01T00:00:00.000Z', kind: 'app', fields: {} }
const DEADLINE_MS = 120_000
const APPS = 450
const direct = globalThis.fetch
let manager: TestServer

before(async () => {
  manager = await testServer()
  await seedApp(manager, 'shop')
  await addApps()
  const address = await manager.server.listen({ port: 0, host: '127.0.0.1' })
  // A page asks its own origin.
  globalThis.fetch = async (path, options) => await direct(`${address}${String(path)}`, options)
  keepToken(manager.token)
})
after(async () => {
  globalThis.fetch = direct
  await manager.close()
})

test('events without end do not keep an answer from being shown, and what happened meanwhile is read afterwards', async () => {
  const reads: { readonly signal: AbortSignal; answer(value: number): void }[] = []
  const scope = effectScope()
  const query = scope.run(() =>
    useQuery(signal => new Promise<number>(answer => void reads.push({ signal, answer })), {
      on: () => true,
    }),
  )
  assert.ok(query)
  const stream = setInterval(() => tell(EVENT), 20)
  try {
    // Longer than events are taken together.
    await new Promise(resolve => setTimeout(resolve, 600))
    assert.equal(reads.length, 1)
    assert.equal(reads[0]?.signal.aborted, false)
    reads[0]?.answer(1)
    await until(() => query.data.value === 1)
    await until(() => reads.length === 2)
    // A line that was lost may never answer.
    tell(undefined)
    assert.equal(reads.length, 3)
    assert.equal(reads[1]?.signal.aborted, true)
    reads[2]?.answer(3)
    await until(() => query.data.value === 3)
  } finally {
    clearInterval(stream)
    scope.stop()
  }
  const count = reads.length
  tell(EVENT)
  await new Promise(resolve => setTimeout(resolve, 400))
  assert.equal(reads.length, count)
})

test('every row that is shown is read anew after an event, also those far down, and more may be asked for after it', async () => {
  const scope = effectScope()
  const list = scope.run(() =>
    useList<{ name: string; target: string }>('/apps', { key: app => app.name, on: () => true }),
  )
  assert.ok(list)
  try {
    await until(() => list.items.value.length === 50)
    await list.addPage()
    await list.addPage()
    assert.equal(list.items.value.length, APPS)
    await list.addPage()
    assert.equal(list.hasMore.value, list.items.value.length < APPS + 1)
    const shown = list.items.value.length
    await manager.parts.db
      .updateTable('apps')
      .set({ target: 'compose' })
      .where('name', '=', 'app-440')
      .execute()
    tell(EVENT)
    await until(() => list.items.value.find(app => app.name === 'app-440')?.target === 'compose')
    assert.equal(list.items.value.length, shown)
    assert.equal(new Set(list.items.value.map(app => app.name)).size, shown)
  } finally {
    scope.stop()
  }
})

async function addApps(): Promise<void> {
  const { db } = manager.parts
  const shop = await db.selectFrom('apps').selectAll().where('name', '=', 'shop').executeTakeFirstOrThrow()
  const rows = Array.from({ length: APPS }, (_, number) => {
    const name = `app-${String(number).padStart(3, '0')}`
    return { ...shop, id: newId(), name, entry: name }
  })
  await db.insertInto('apps').values(rows).execute()
}

async function until(isTrue: () => boolean): Promise<void> {
  const end = Date.now() + DEADLINE_MS
  while (!isTrue()) {
    assert.ok(Date.now() < end, 'It did not happen.')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
