import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'
import type { ChangedChannelDocument, ChannelDocument } from '#contract/rest/notifications.ts'
import { standard } from '#git-hosts/standard.ts'
import { systemClock } from '#lib/clock.ts'
import { seedApp, type TestServer, testServer } from '#manager/api/test-server.ts'
import { finishDeployment } from '#manager/deployments/finish.ts'
import { readDeployment } from '#manager/deployments/queries.ts'
import { WITHOUT_EFFECT } from '#manager/deployments/without-effect.ts'
import { STEP_GIVEN_UP } from '#manager/pipeline/errors.ts'
import type { EndedPipeline } from '#manager/pipeline/step.ts'
import { type Mailed, testMailServer } from './test-mail-server.ts'

const SHA = 'ab12'.repeat(10)
const FAILED: EndedPipeline = {
  state: 'failed',
  outcome: 'failed',
  failedStep: 'build',
  error: STEP_GIVEN_UP('build', 'push'),
}
const DEPLOYED: EndedPipeline = { state: 'succeeded', outcome: 'deployed' }
const UNCHANGED: EndedPipeline = { state: 'succeeded', outcome: 'nothing-to-do' }

const stack = new AsyncDisposableStack()
const hooked: { headers: Record<string, string | undefined>; body: string }[] = []
const mailed: Mailed[] = []
let server: TestServer
let url: string
let status = 200
let mailPort: number
let ca: string

before(async () => {
  server = await testServer({ environment: { FAIRLEAD_ALLOW_PRIVATE: '127.0.0.0/8,::1/128' } })
  stack.defer(() => server.close())
  await seedApp(server, 'shop')
  await seedApp(server, 'blog')
  await startReceiver()
  await startMailServer()
})

after(() => stack.disposeAsync())

beforeEach(async () => {
  status = 200
  const { items } = (await server.ask('GET', '/api/v1/notifications')).json<{ items: ChannelDocument[] }>()
  for (const { name } of items) {
    await server.ask('DELETE', `/api/v1/notifications/${name}`)
  }
  hooked.length = 0
  mailed.length = 0
})

test('a failure, what follows, and the recovery reach a signed webhook, each once', async () => {
  const { secret } = await add('ops', { kind: 'webhook', url })
  assert.match(secret ?? '', /^whsec_/)
  for (const end of [DEPLOYED, FAILED, UNCHANGED, UNCHANGED, DEPLOYED]) {
    await run('shop', end)
  }
  await run('shop', FAILED)
  await until(() => hooked.length >= 3)
  const bodies = hooked.map(({ body }) => JSON.parse(body))
  assert.deepEqual(
    bodies.map(({ type }) => type),
    ['deployment.failed', 'deployment.recovered', 'deployment.failed'],
  )
  const [{ data }] = bodies
  assert.deepEqual([data.app, data.step, data.asked], ['shop', 'build', 'admin'])
  assert.equal(data.error.hint, STEP_GIVEN_UP('build', 'push').hint)
  for (const { headers, body } of hooked) {
    const delivery = { headers, body: Buffer.from(body), receivedAt: Date.now() }
    assert.ok(standard.verify(delivery, [secret ?? '']))
  }
  assert.equal(new Set(hooked.map(({ headers }) => headers['webhook-id'])).size, 3)
})

for (const outcome of WITHOUT_EFFECT) {
  const recovers = outcome === 'nothing-to-do'
  test(`a push that ends as ${outcome} is not told as deployed${recovers ? '' : ', nor as a recovery'}`, async () => {
    await run('shop', DEPLOYED)
    await add('all', { kind: 'webhook', url }, { events: ['failed', 'recovered', 'succeeded'] })
    const end: EndedPipeline = { state: 'succeeded', outcome }
    for (const each of [DEPLOYED, end, FAILED, end, DEPLOYED]) {
      await run('shop', each)
    }
    await run('shop', FAILED)
    await until(() => hooked.length >= (recovers ? 5 : 4))
    assert.deepEqual(
      hooked.map(({ body }) => JSON.parse(body)).map(({ type, data }) => `${type} ${data.outcome}`),
      [
        'deployment.succeeded deployed',
        'deployment.failed failed',
        ...(recovers ? ['deployment.recovered nothing-to-do'] : []),
        recovers ? 'deployment.succeeded deployed' : 'deployment.recovered deployed',
        'deployment.failed failed',
      ],
    )
  })
}

test('a channel hears only what it wants to hear, of the apps that it wants to hear of', async () => {
  await add('some', { kind: 'slack', url }, { events: ['succeeded'], apps: ['blog'] })
  await run('shop', DEPLOYED)
  await run('blog', FAILED)
  await run('blog', DEPLOYED)
  await server.ask('PATCH', '/api/v1/notifications/some', { on: false })
  await run('blog', DEPLOYED)
  await server.ask('PATCH', '/api/v1/notifications/some', { on: true, events: ['failed'], apps: null })
  await run('shop', FAILED)
  await until(() => hooked.length >= 2)
  const texts = hooked.map(({ body }) => JSON.parse(body).text.split('\n')[0])
  assert.deepEqual(texts, [
    '🟢 *blog is deployed again after a failure*',
    '🔴 *shop: the deployment failed in step build*',
  ])
})

test('a mail arrives over STARTTLS, after a login', async () => {
  await add('mail', email({ security: 'starttls' }))
  await run('shop', FAILED)
  await until(() => mailed.length >= 1)
  const [mail] = mailed
  assert.deepEqual(
    [mail?.from, mail?.to, mail?.isSecure, mail?.user],
    ['fairlead@example.org', ['ada@example.org', 'bob@example.org'], true, 'fairlead'],
  )
  assert.match(mail?.text ?? '', /^Subject: \[Fairlead\] shop: the deployment failed in step build\r$/m)
  assert.match(mail?.text ?? '', /^Auto-Submitted: auto-generated\r$/m)
  assert.match(mail?.text ?? '', /^Error: +The step "build" was ended/m)
})

test('a mail that some of its recipients do not get is the channel’s problem, which names them, and is not sent again', async () => {
  await add('mail', email({ to: ['ada@example.org', 'gone@example.org'] }))
  await run('shop', FAILED)
  await until(async () => (await read('mail')).problem?.code === 'CHANNEL_REFUSED')
  assert.match(
    (await read('mail')).problem?.message ?? '',
    /all but gone@example\.org \(550 no such person\)/,
  )
  const rows = await server.parts.db.selectFrom('outbox').select(['attempts', 'result']).execute()
  assert.deepEqual([rows.at(-1)?.attempts, rows.at(-1)?.result], [1, 'refused'])
  assert.deepEqual(
    mailed.map(({ to }) => to),
    [['ada@example.org']],
  )
})

test('a mail server whose certificate is not trusted, or a wrong password, gets nothing', async () => {
  const { ca: _, ...untrusted } = email({ security: 'starttls' })
  await add('untrusted', untrusted)
  const first = await server.ask('POST', '/api/v1/notifications/untrusted/test')
  assert.deepEqual([first.statusCode, first.json().code], [502, 'CHANNEL_UNREACHED'])
  assert.match(first.json().detail, /certificate/)
  await add('wrong', email({ password: 'wrong' }))
  const second = await server.ask('POST', '/api/v1/notifications/wrong/test')
  assert.deepEqual([second.statusCode, second.json().code], [502, 'CHANNEL_REFUSED'])
  assert.deepEqual(mailed, [])
})

test('a test message is sent at once and says how that went', async () => {
  await add('ops', { kind: 'webhook', url: `${url}?key=hidden` })
  const answer = await server.ask('POST', '/api/v1/notifications/ops/test')
  assert.deepEqual(answer.json(), { sent: true, to: new URL(url).origin })
  assert.equal(JSON.parse(hooked[0]?.body ?? '').type, 'test')
  status = 410
  const gone = await server.ask('POST', '/api/v1/notifications/ops/test')
  assert.deepEqual([gone.statusCode, gone.json().code], [502, 'CHANNEL_REFUSED'])
})

test('a refused message is the channel’s problem until the next one arrives', async () => {
  await add('ops', { kind: 'webhook', url })
  status = 404
  await run('shop', FAILED)
  await until(async () => (await read('ops')).problem?.code === 'CHANNEL_REFUSED')
  status = 204
  await run('shop', FAILED)
  await until(async () => (await read('ops')).problem === null)
  assert.notEqual((await read('ops')).last_sent_at, null)
})

test('private addresses are not spoken to unless they are allowed, whatever the kind', async () => {
  const shut = await testServer()
  stack.defer(() => shut.close())
  const targets = { hook: { kind: 'webhook', url }, chat: { kind: 'slack', url }, mail: email({}) }
  for (const [name, target] of Object.entries(targets)) {
    await shut.ask('POST', '/api/v1/notifications', { name, target })
    const answer = await shut.ask('POST', `/api/v1/notifications/${name}/test`)
    assert.deepEqual([answer.statusCode, answer.json().code], [422, 'HTTP_ADDRESS_PRIVATE'], name)
  }
  assert.deepEqual([hooked, mailed], [[], []])
})

test('R03 no answer, no log and no row shows a secret of a channel', async () => {
  await add('chat', { kind: 'slack', url: `${url}/T000/canary-slack` })
  await add('hook', { kind: 'webhook', url: `${url}/canary-hook?key=canary-key` })
  await add('mail', email({ password: 'canary-mail' }))
  status = 404
  const tried = await server.ask('POST', '/api/v1/notifications/hook/test')
  assert.equal(tried.json().code, 'CHANNEL_REFUSED')
  const list = await server.ask('GET', '/api/v1/notifications')
  const rows = await server.parts.db.selectFrom('channels').selectAll().execute()
  for (const place of [tried.body, list.body, JSON.stringify(rows), JSON.stringify(server.recorded.logged)]) {
    assert.equal(place.includes('canary'), false)
  }
})

test('addresses that would make a header of their own are refused', async () => {
  for (const from of ['a@b.c\r\nBcc: x@y.z', 'Ada <ada@example.org>', 'a@b, c@d']) {
    const answer = await server.ask('POST', '/api/v1/notifications', {
      name: 'x',
      target: { ...email({}), from },
    })
    assert.equal(answer.statusCode, 422, from)
  }
})

function email(changes: object): Record<string, unknown> & { ca?: string } {
  const login = { username: 'fairlead', password: 'pass' }
  const people = { from: 'fairlead@example.org', to: ['ada@example.org', 'bob@example.org'] }
  return { kind: 'email', host: 'localhost', port: mailPort, ca, ...login, ...people, ...changes }
}

async function add(name: string, target: object, filter: object = {}): Promise<ChangedChannelDocument> {
  const answer = await server.ask('POST', '/api/v1/notifications', { name, target, ...filter })
  assert.equal(answer.statusCode, 201, answer.body)
  return answer.json()
}

async function read(name: string): Promise<ChannelDocument> {
  return (await server.ask('GET', `/api/v1/notifications/${name}`)).json()
}

async function run(app: string, end: EndedPipeline): Promise<void> {
  const { parts } = server
  const asked = await server.ask('POST', `/api/v1/apps/${app}/deploy`, { commit: SHA })
  await finishDeployment(parts, await readDeployment(parts.db, asked.json().id), end)
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = systemClock.monotonic() + 60_000
  while (!(await isSo())) {
    assert.ok(systemClock.monotonic() < deadline, JSON.stringify([hooked, mailed]))
    await systemClock.sleep(5)
  }
}

async function startReceiver(): Promise<void> {
  const receiver = createServer(async (request, response) => {
    const body = await text(request)
    hooked.push({ headers: request.headers as Record<string, string>, body })
    response.writeHead(status).end('ok')
  })
  await new Promise<void>(resolve => receiver.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`
  stack.defer(() => {
    receiver.closeAllConnections()
    receiver.close()
  })
}

async function startMailServer(): Promise<void> {
  const mailServer = await testMailServer(mailed)
  stack.defer(() => mailServer.close())
  mailPort = mailServer.port
  ca = mailServer.ca
}
