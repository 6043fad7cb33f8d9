import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#lib/id.ts'
import { inert } from './deployment-log.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'

let manager: TestServer
let origin = ''
before(async () => {
  manager = await testServer()
  await seedApp(manager, 'shop')
  await seedApp(manager, 'blog')
  origin = await manager.server.listen({ host: '127.0.0.1', port: 0 })
})
after(() => manager.close())

test('deployments are listed newest first, by app and state, page by page', async () => {
  const shop = await deploy('shop')
  const blog = await deploy('blog')
  const list = async (query: string) =>
    (await manager.ask('GET', `/api/v1/deployments?${query}`)).json() as {
      items: { id: string }[]
      next: string | null
    }
  assert.deepEqual(
    (await list('')).items.map(({ id }) => id),
    [blog, shop],
  )
  assert.deepEqual(
    (await list('app=shop')).items.map(({ id }) => id),
    [shop],
  )
  assert.deepEqual((await list('state=cancelled')).items, [])
  const first = await list('limit=1')
  assert.equal(first.next, blog)
  assert.deepEqual(
    (await list(`limit=1&cursor=${first.next}`)).items.map(({ id }) => id),
    [shop],
  )
  assert.equal((await manager.ask('GET', '/api/v1/deployments?state=lost')).statusCode, 422)
})

test('a deployment is read with its steps', async () => {
  const id = await deploy('shop')
  const step = {
    name: 'build',
    position: 1,
    state: 'failed',
    attempt: 1,
    started_at: 5,
    deadline_at: 9,
    finished_at: 7,
  } as const
  const error = { code: 'X', message: 'm', hint: 'h', retry: 'never', status: 500 }
  await manager.parts.db
    .insertInto('steps')
    .values({ deployment_id: id, ...step, outcome: null, error: JSON.stringify(error) })
    .execute()
  const { steps } = (await manager.ask('GET', `/api/v1/deployments/${id}`)).json()
  assert.deepEqual(steps, [
    {
      name: 'build',
      state: 'failed',
      started_at: '1970-01-01T00:00:00.005Z',
      deadline_at: '1970-01-01T00:00:00.009Z',
      finished_at: '1970-01-01T00:00:00.007Z',
      outcome: null,
      error,
    },
  ])
  assert.equal((await manager.ask('GET', `/api/v1/deployments/${newId()}`)).statusCode, 404)
})

test('a queued deployment is cancelled at once, an ended one cannot be', async () => {
  const id = await deploy('blog')
  const cancelled = await manager.ask('POST', `/api/v1/deployments/${id}/cancel`)
  assert.equal(cancelled.statusCode, 202)
  assert.equal(cancelled.json().state, 'cancelled')
  assert.ok(manager.recorded.aborted.includes(id))
  assert.equal((await manager.ask('POST', `/api/v1/deployments/${id}/cancel`)).statusCode, 409)
})

test('L01 the log as text holds nothing that a terminal would obey', async () => {
  const id = await deploy('shop')
  await say(id, 'building \u001b]0;title\u0007\u001b[31mred\u001b[0m 1%\r2%', 'a\u202eb\u200bc')
  const answer = await manager.ask('GET', `/api/v1/deployments/${id}/log`)
  assert.match(String(answer.headers['content-type']), /^text\/plain/)
  assert.equal(
    answer.body,
    '1970-01-01T00:00:00.001Z build    building red 1% 2%\n1970-01-01T00:00:00.001Z build    abc\n',
  )
  assert.equal(inert('a\nb\tc\u009b31m'), 'ab\tc')
})

test('the log as events has what is stored, what comes and the end, and goes on where it broke off', async () => {
  const id = await deploy('blog')
  await say(id, 'one', 'two')
  const reading = readEvents(`/api/v1/deployments/${id}/log`)
  await reading.until(2)
  await say(id, 'three')
  await reading.until(3)
  await manager.parts.db
    .updateTable('deployments')
    .set({ state: 'succeeded', outcome: 'deployed' })
    .where('id', '=', id)
    .execute()
  manager.parts.events.publish('deployment', { id, app: 'blog', state: 'succeeded' })
  const events = await reading.all
  assert.deepEqual(
    events.slice(0, 3).map(event => [event.id, (event.data as { text: string }).text]),
    [
      ['1', 'one'],
      ['2', 'two'],
      ['3', 'three'],
    ],
  )
  assert.deepEqual(events[3], { id: '', event: 'end', data: { state: 'succeeded', outcome: 'deployed' } })
  const resumed = await readEvents(`/api/v1/deployments/${id}/log`, { 'last-event-id': '2' }).all
  assert.deepEqual(
    resumed.map(event => event.id),
    ['3', ''],
  )
})

test('events tell what changes and are resumed by their id', async () => {
  const reading = readEvents('/api/v1/events')
  await reading.opened
  manager.parts.events.publish('host', { name: 'a', state: 'added' })
  manager.parts.events.publish('host', { name: 'b', state: 'added' })
  const [first] = await reading.until(2)
  reading.stop()
  assert.equal(first?.event, 'host')
  const resumed = readEvents('/api/v1/events', { 'last-event-id': first?.id ?? '' })
  const [next] = await resumed.until(1)
  resumed.stop()
  assert.deepEqual((next?.data as { fields: unknown } | undefined)?.fields, { name: 'b', state: 'added' })
})

test('a shutdown ends open streams', async () => {
  const other = await testServer()
  const url = await other.server.listen({ host: '127.0.0.1', port: 0 })
  const answer = await fetch(`${url}/api/v1/events`, { headers: { authorization: `Bearer ${other.token}` } })
  await other.close()
  assert.match(await answer.text(), /^retry: 2000/)
})

async function deploy(app: string): Promise<string> {
  await manager.parts.db
    .updateTable('deployments')
    .set({ state: 'failed' })
    .where('state', '=', 'queued')
    .execute()
  return (await manager.ask('POST', `/api/v1/apps/${app}/deploy`, {})).json().id
}

async function say(id: string, ...texts: string[]): Promise<void> {
  await manager.parts.logs.append(
    id,
    texts.map(text => ({ at: 1, step: 'build', stream: 'stdout', text }) as const),
  )
}

interface SentEvent {
  readonly id: string
  readonly event: string
  readonly data: unknown
}

/** Reads a stream in the background. */
function readEvents(path: string, headers: Record<string, string> = {}) {
  const stop = new AbortController()
  const events: SentEvent[] = []
  const opened = Promise.withResolvers<void>()
  let notice = () => {}
  const all = (async () => {
    const answer = await fetch(origin + path, {
      headers: { authorization: `Bearer ${manager.token}`, accept: 'text/event-stream', ...headers },
      signal: stop.signal,
    })
    opened.resolve()
    let pending = ''
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (pending + chunk).split('\n\n')
      pending = blocks.pop() ?? ''
      events.push(...blocks.filter(block => block.includes('data: ')).map(parse))
      notice()
    }
    return events
  })()
  all.catch(() => undefined)
  return {
    all,
    opened: opened.promise,
    stop: () => stop.abort(),
    async until(count: number): Promise<SentEvent[]> {
      while (events.length < count) {
        await new Promise<void>(resolve => {
          notice = resolve
        })
      }
      return events
    },
  }
}

function parse(block: string): SentEvent {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? ''
  return { id: field('id'), event: field('event'), data: JSON.parse(field('data')) }
}

test('a plan is approved by its hash, by the token that asked, once', async () => {
  const id = await deploy('shop')
  const { db } = manager.parts
  const hash = 'a'.repeat(64)
  const path = `/api/v1/deployments/${id}/approve`
  assert.equal((await manager.ask('POST', path, { hash })).json().code, 'NOT_WAITING')
  await db
    .updateTable('deployments')
    .set({ state: 'waiting', plan_hash: hash, waiting_since: 1 })
    .where('id', '=', id)
    .execute()
  assert.equal((await manager.ask('POST', path, {})).statusCode, 422)
  const other = await manager.ask('POST', path, { hash: 'b'.repeat(64) })
  assert.deepEqual([other.statusCode, other.json().code], [409, 'PLAN_IS_ANOTHER'])
  assert.match(other.json().detail, new RegExp(hash))
  const approved = await manager.ask('POST', path, { hash })
  assert.equal(approved.statusCode, 202)
  assert.equal(approved.json().approved.plan_hash, hash)
  const again = await manager.ask('POST', path, { hash })
  assert.deepEqual(again.json().approved, approved.json().approved)
  const { by } = approved.json().approved
  assert.equal(by, approved.json().trigger.by)
  assert.equal((await manager.ask('GET', `/api/v1/deployments/${id}`)).json().approved.by, by)
  assert.equal((await manager.ask('POST', `/api/v1/deployments/${id}/cancel`)).json().state, 'cancelled')
})
