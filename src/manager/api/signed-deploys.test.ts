import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { stackSecret } from '#lib/stack-secret.ts'
import { AGENT_OFFLINE } from '#manager/agents/errors.ts'
import type { TellOptions } from '#manager/agents/tell.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import { forgetOld } from '#manager/housekeeping.ts'
import { seedApp, type TestServer, testServer } from './test-server.ts'
import { SECRET, sign, timed, until, workOn } from './test-signed.ts'

const ENVIRONMENT = { DEPLOY_SECRET: SECRET, DEPLOY_MIN_INTERVAL: '0', RATE_LIMIT_PER_MIN: '10000' }
let manager: TestServer
let queue: Queue
/** Folders that the worker has. */
let stacks: string[]
let said: Readonly<Record<string, readonly string[]>>
let exitCodes: Readonly<Record<string, number>>
let running: readonly string[]
let changes: boolean
let hold: (step: string, signal?: AbortSignal) => unknown

before(async () => {
  manager = await testServer({ environment: ENVIRONMENT, answer })
  queue = workOn(manager)
})
after(async () => {
  await queue.close()
  await manager.close()
})
beforeEach(async () => {
  await queue.idle()
  await manager.parts.db.deleteFrom('apps').execute()
  manager.recorded.told.length = 0
  manager.recorded.logged.length = 0
  stacks = ['media', 'my_stack']
  said = {}
  exitCodes = {}
  running = ['web']
  changes = true
  hold = () => undefined
})

test('R101 R106 R109 R111 R112 a signed body deploys its stack, and the answer tells of all four steps', async () => {
  said = { status: ['web'], pull: ['web Pulled'], up: ['\u001b[32mContainer web-1  Started\u001b[0m'] }
  const answer = await post('/deploy', { body: '{"stack":"media"}' })
  assert.equal(answer.statusCode, 200)
  const { ok, stack, steps, started_at, finished_at } = answer.json()
  assert.deepEqual([ok, stack], [true, 'media'])
  assert.deepEqual(
    steps.map(({ name, ok, tail }: Record<string, unknown>) => [name, ok, tail]),
    [
      ['status', true, 'web'],
      ['config', true, ''],
      ['pull', true, 'web Pulled'],
      ['up', true, 'Container web-1  Started'],
    ],
  )
  assert.ok(steps.every(({ duration_ms }: { duration_ms: unknown }) => Number.isInteger(duration_ms)))
  for (const time of [started_at, finished_at]) {
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  }
  assert.ok(!answer.body.includes('\n'), 'the workflow reads one line')
  const told = manager.recorded.told.map(({ command, params }) => [command, params])
  assert.deepEqual(told[0], ['stack.find', { stack: 'media' }])
  assert.deepEqual(
    told.slice(1).map(([, params]) => params),
    ['status', 'config', 'pull', 'up'].map(step => ({ stack: 'media', step })),
  )
})

test('R105 W12 an empty body is signed as the name in the path, and nothing else will do', async () => {
  assert.equal((await post('/deploy/media')).statusCode, 200)
  assert.equal((await post('/deploy/media', { signature: sign('') })).statusCode, 401)
  assert.equal((await post('/deploy/my_stack', { signature: sign('media') })).statusCode, 401)
  assert.equal((await post('/deploy', { signature: sign('') })).statusCode, 401)
  assert.equal((await post('/deploy/', { signature: sign('') })).statusCode, 401)
})

test('R101 signed calls are answered however many there are, with the limit for what nobody asked for as it is by default', async () => {
  for (let count = 0; count < 30; count += 1) {
    assert.equal((await post('/deploy/media')).statusCode, 200, String(count))
  }
})

test('a call after which every container is the one from before has nothing to do', async () => {
  changes = false
  const { deployment } = (await post('/deploy/media')).json()
  const { outcome } = (await manager.ask('GET', `/api/v1/deployments/${deployment}`)).json()
  assert.equal(outcome, 'nothing-to-do')
})

test('R112 a call for a stack whose app is paused is answered at once, also when it was paused meanwhile', async () => {
  const { db, events, clock } = manager.parts
  await post('/deploy/media')
  const first = Promise.withResolvers<void>()
  let ups = 0
  hold = step => (step === 'up' && ++ups === 1 ? first.promise : undefined)
  void post('/deploy/media')
  await until(() => ups === 1)
  const queued = post('/deploy/media')
  await until(async () => (await states('queued')).length === 1)
  const app = await db
    .updateTable('apps')
    .set({ paused_at: clock.now() })
    .returning(['id', 'name'])
    .executeTakeFirstOrThrow()
  events.publish('app', { id: app.id, app: app.name, state: 'paused' })
  const held = await queued
  for (const answer of [held, await post('/deploy/media')]) {
    assert.deepEqual([answer.statusCode, answer.json().error], [409, 'stack-paused'])
    assert.match(answer.json().message, /fairlead apps resume media/)
  }
  const [id = ''] = (await states('queued')).map(row => String((row as { id: string }).id))
  assert.equal((await manager.ask('GET', `/api/v1/deployments/${id}`)).json().held, true)
  first.resolve()
})

test('R104 R112 W01 W02 a call without the right signature is refused, whatever it is for, and leaves nothing', async () => {
  const answers = await Promise.all([
    post('/deploy/media', { signature: '' }),
    post('/deploy/media', { signature: sign('other') }),
    post('/deploy/nothing', { signature: sign('other') }),
    post('/deploy/..%2fetc', { signature: sign('other') }),
    post('/deploy', { body: '{"stack":"media"}', signature: sign('{"stack":"other"}') }),
    post('/deploy', { body: 'no json', signature: sign('{"stack":"other"}') }),
  ])
  for (const answer of answers) {
    assert.equal(answer.statusCode, 401)
    const { id: _, ...rest } = answer.json()
    assert.deepEqual(rest, { ok: false, error: 'not-authorised' })
  }
  assert.deepEqual(manager.recorded.told, [])
  assert.deepEqual(await manager.parts.db.selectFrom('apps').select('id').execute(), [])
})

test('R117 a body that lost its quotes in a shell line of the workflow counts as the one that was signed', async () => {
  const signature = sign('{"stack":"media"}')
  assert.equal((await post('/deploy', { body: '{stack:media}', signature })).statusCode, 200)
  for (const body of [
    '{stack:my_stack}',
    '{stack: media}',
    '{stack:media,ok:1}',
    '{stack:media}\n',
    '{stack:Media}',
  ]) {
    assert.equal((await post('/deploy', { body, signature })).statusCode, 401, body)
  }
})

test('W13 a body that names another stack than the path is refused, and so is one that names none', async () => {
  for (const [body, error] of [
    ['{"stack":"media"}', 'stack-mismatch'],
    ['{}', 'stack-mismatch'],
    ['"media"', 'stack-mismatch'],
    ['{"__proto__":{"stack":"my_stack"}}', 'stack-mismatch'],
    // Signed, these bytes are the same as no body for /deploy/my_stack.
    ['my_stack', 'malformed-request'],
  ] as const) {
    const answer = await post('/deploy/my_stack', { body })
    assert.deepEqual([answer.statusCode, answer.json().error], [400, error], body)
  }
  assert.equal((await post('/deploy/my_stack', { body: '{"stack":"my_stack"}' })).statusCode, 200)
})

test('A04 A05 who can sign is told which names there can be', async () => {
  for (const stack of ['../x', '-rf', 'a b', 'a/b', 'é', 'mеdia', 'toString', '__proto__', 'a'.repeat(64)]) {
    const refused = await post(`/deploy/${encodeURIComponent(stack)}`, { signature: sign(stack) })
    assert.equal(refused.statusCode, 422, stack)
    assert.match(refused.json().message, /\^\[a-z0-9\]/)
  }
  for (const stack of ['..', '.', 'a\0b', 'a\nb', '', 7, null]) {
    const refused = await post('/deploy', { body: JSON.stringify({ stack }) })
    assert.equal(refused.statusCode, 422, String(stack))
  }
  stacks = ['constructor', 'nul']
  assert.equal((await post('/deploy/constructor')).statusCode, 200)
  assert.equal((await post('/deploy/nul')).statusCode, 200)
})

test('R103 R112 a stack that no host has is not found, and becomes no app', async () => {
  const answer = await post('/deploy/nothing')
  assert.deepEqual([answer.statusCode, answer.json().error], [404, 'stack-not-found'])
  assert.deepEqual(await manager.parts.db.selectFrom('apps').select('id').execute(), [])
})

test('R103 R112 a stack of which nothing runs is left alone', async () => {
  running = []
  const answer = await post('/deploy/media')
  assert.deepEqual(
    [answer.statusCode, answer.json().ok, answer.json().error],
    [409, false, 'stack-not-running'],
  )
  assert.deepEqual(stepsOf(answer), [['status', false]])
})

test('R111 R112 the first step that fails ends the deployment, and its last lines are in the answer', async () => {
  exitCodes = { pull: 18 }
  said = { pull: Array.from({ length: 50 }, (_, at) => `line ${at + 1}`) }
  const answer = await post('/deploy/media')
  assert.deepEqual([answer.statusCode, answer.json().ok], [500, false])
  assert.deepEqual(stepsOf(answer), [
    ['status', true],
    ['config', true],
    ['pull', false],
  ])
  assert.equal(answer.json().steps[2].tail.split('\n').at(-1), 'line 50')
  assert.equal(answer.json().steps[2].tail.split('\n').length, 30)
})

test('R110 a step is ended when its time is over, and says so', async () => {
  const short = await testServer({ environment: { ...ENVIRONMENT, CONFIG_TIMEOUT: '1' }, answer })
  const working = workOn(short)
  hold = (step, signal) =>
    step === 'config'
      ? new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
      : undefined
  const late = await post('/deploy/media', { on: short })
  assert.deepEqual([late.statusCode, late.json().error], [500, 'step-timed-out'])
  assert.deepEqual(stepsOf(late), [
    ['status', true],
    ['config', false],
  ])
  await working.close()
  await short.close()
})

test('R114 each step leaves one line with stack, step, ok, exit code and duration', async () => {
  exitCodes = { pull: 18 }
  await post('/deploy/media')
  const lines = manager.recorded.logged.filter(({ event }) => event === 'deploy.step')
  assert.deepEqual(
    lines.map(({ fields }) => [fields?.stack, fields?.step, fields?.ok, fields?.exit_code]),
    [
      ['media', 'status', true, 0],
      ['media', 'config', true, 0],
      ['media', 'pull', false, 18],
    ],
  )
  assert.ok(lines.every(({ fields }) => Number.isInteger(fields?.duration_ms)))
})

test('R107 health answers both methods, also without a secret', async () => {
  const plain = await testServer()
  for (const on of [manager, plain]) {
    for (const method of ['GET', 'POST'] as const) {
      const answer = await on.server.inject({ method, url: '/health' })
      assert.deepEqual([answer.statusCode, answer.json().ok], [200, true])
    }
  }
  assert.equal((await post('/deploy/media', { on: plain })).statusCode, 404)
  await plain.close()
})

test('R114 a deployment of a stack is one like any other: with a trigger, steps, a log and an app', async () => {
  const { deployment } = (await post('/deploy/my_stack')).json()
  const detail = (await manager.ask('GET', `/api/v1/deployments/${deployment}`)).json()
  assert.deepEqual(detail.trigger, { kind: 'signed', by: 'v1', detail: '127.0.0.1' })
  assert.deepEqual([detail.state, detail.outcome], ['succeeded', 'deployed'])
  assert.deepEqual(
    detail.steps.map(({ name }: { name: string }) => name),
    ['status', 'config', 'pull', 'up'],
  )
  const { name, target, entry, repository, observed } = (
    await manager.ask('GET', `/api/v1/apps/${detail.app}`)
  ).json()
  assert.deepEqual([target, entry, repository, observed.state], ['stack', 'my_stack', null, 'unknown'])
  const again = await manager.ask('POST', `/api/v1/apps/${name}/deploy`, { wait_seconds: 60 })
  assert.equal(again.json().outcome, 'deployed')
  const commit = await manager.ask('POST', `/api/v1/apps/${name}/deploy`, { commit: 'a'.repeat(40) })
  assert.equal(commit.json().code, 'STACK_HAS_NO_SOURCE')
  assert.equal(
    (await manager.ask('POST', `/api/v1/apps/${name}/plan`, {})).json().code,
    'STACK_HAS_NO_SOURCE',
  )
  const approval = await manager.ask('PATCH', `/api/v1/apps/${name}`, { approval: 'required' })
  assert.equal(approval.json().code, 'STACK_HAS_NO_SOURCE')
})

test('an app of a repository keeps its name when a stack is called like it', async () => {
  const { app } = await seedApp(manager, 'media')
  const { deployment } = (await post('/deploy/media')).json()
  const row = await manager.parts.db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select(['apps.id', 'apps.name', 'apps.stack'])
    .where('deployments.id', '=', deployment)
    .executeTakeFirstOrThrow()
  assert.notEqual(row.id, app)
  assert.match(row.name, /^media-[0-9a-f]{8}$/)
  assert.equal(row.stack, 'media')
})

test('a call while a deployment runs is answered by one of its own, and calls meanwhile join that', async () => {
  const first = Promise.withResolvers<void>()
  let ups = 0
  hold = step => (step === 'up' && ++ups === 1 ? first.promise : undefined)
  const calls = [post('/deploy/media')]
  await until(() => ups === 1)
  calls.push(post('/deploy/media'), post('/deploy/media'))
  await until(async () => (await states('queued')).length === 1)
  first.resolve()
  const ids = (await Promise.all(calls)).map(answer => [answer.statusCode, answer.json().deployment])
  assert.deepEqual(
    ids.map(([status]) => status),
    [200, 200, 200],
  )
  assert.equal(new Set(ids.map(([, id]) => id)).size, 2)
  assert.equal(ids[1]?.[1], ids[2]?.[1])
})

test('W18 a v1 signature that is repeated makes one deployment in each interval', async () => {
  const slow = await testServer({ environment: { ...ENVIRONMENT, DEPLOY_MIN_INTERVAL: '1' }, answer })
  const working = workOn(slow)
  const first = (await post('/deploy/media', { on: slow })).json().deployment
  const more = await Promise.all(Array.from({ length: 20 }, () => post('/deploy/media', { on: slow })))
  const ids = new Set(more.map(answer => answer.json().deployment))
  assert.equal(ids.size, 1)
  assert.ok(!ids.has(first))
  await working.close()
  await slow.close()
})

test('a v2 call is taken once, also after a day of housekeeping', async () => {
  const call = timed('/deploy/media')
  assert.equal((await post('/deploy/media', call)).statusCode, 200)
  assert.equal((await post('/deploy/media', call)).statusCode, 401)
  await forgetOld(manager.parts)
  assert.equal((await post('/deploy/media', call)).statusCode, 401)
  await manager.parts.db.updateTable('signed_calls').set({ received_at: 1 }).execute()
  await forgetOld(manager.parts)
  assert.deepEqual(await manager.parts.db.selectFrom('signed_calls').select('id').execute(), [])
})

test('the secret of a stack signs a body for it, and none for another', async () => {
  const key = stackSecret(SECRET, 'media')
  const body = '{"stack":"media"}'
  assert.equal((await post('/deploy', { body, signature: sign(body, key) })).statusCode, 200)
  const other = '{"stack":"my_stack"}'
  assert.equal((await post('/deploy', { body: other, signature: sign(other, key) })).statusCode, 401)
})

test('W19 W21 a body that is too large or nested without end is refused', async () => {
  assert.equal((await post('/deploy', { body: 'x'.repeat(100_000) })).statusCode, 413)
  assert.equal((await post('/deploy', { body: '['.repeat(50_000) })).statusCode, 400)
})

test('a host that does not answer is not taken for one without the stack', async () => {
  hold = () => {
    throw AGENT_OFFLINE('local', '')
  }
  const answer = await post('/deploy/media')
  assert.deepEqual([answer.statusCode, answer.json().error], [503, 'agent-offline'])
})

async function answer(command: string, params: unknown, options: TellOptions): Promise<unknown> {
  const { stack, step = '' } = params as { stack: string; step?: string }
  await hold(step, options.signal)
  if (command === 'stack.find') {
    return { found: stacks.includes(stack) }
  }
  const lines = (said[step] ?? []).map((text, at) => ({
    seq: at + 1,
    at: 1,
    stream: 'stderr' as const,
    text,
  }))
  await options.onLines?.(lines, 0)
  const container = { id: `web-${step === 'up' && changes}`, startedAt: '', state: 'running' }
  return {
    exitCode: exitCodes[step] ?? 0,
    services: step === 'status' ? running : [],
    containers: step === 'status' || step === 'up' ? [container] : [],
  }
}

interface Call {
  readonly on?: TestServer
  readonly body?: string
  readonly signature?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Signed as the document says, unless it is given a signature. */
async function post(url: string, { on = manager, body = '', signature, headers }: Call = {}) {
  const signed = signature ?? sign(body === '' ? (url.split('/')[2] ?? '') : body)
  return await on.server.inject({
    method: 'POST',
    url,
    headers: { ...(signed === '' ? {} : { 'x-signature': signed }), ...headers },
    ...(body === '' ? {} : { payload: body }),
  })
}

function stepsOf(answer: Awaited<ReturnType<typeof post>>): unknown[] {
  return answer.json().steps.map(({ name, ok }: { name: string; ok: boolean }) => [name, ok])
}

async function states(state: 'queued'): Promise<unknown[]> {
  return await manager.parts.db.selectFrom('deployments').select('id').where('state', '=', state).execute()
}
