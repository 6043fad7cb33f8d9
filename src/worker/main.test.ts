import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { check } from '#lib/check.ts'
import { publicIdentity } from '#link/identity.ts'
import { PublicIdentity } from '#link/public-identity.ts'
import { anIdentity, temporaryFolder } from '#link/test-identities.ts'

const MAIN = join(import.meta.dirname, 'main.ts')

interface Run {
  readonly code: number | null
  readonly out: string
  readonly complaint: string
}

function start(t: TestContext, data: string, words: readonly string[] = []) {
  const env = {
    FAIRLEAD_DATA: data,
    FAIRLEAD_WORKER_LISTEN: '127.0.0.1:0',
    FAIRLEAD_WORKER_NAME: 'box',
  }
  const child = spawn(process.execPath, [MAIN, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  const ended = Promise.all([
    text(child.stderr),
    new Promise<number | null>(done => child.once('close', done)),
  ])
  return { child, ended }
}

async function run(t: TestContext, data: string, words: readonly string[] = []): Promise<Run> {
  const { child, ended } = start(t, data, words)
  const [out, [complaint, code]] = await Promise.all([text(child.stdout), ended])
  return { code, out, complaint }
}

/** A worker that serves, and the events it has logged. */
async function serving(t: TestContext, data: string) {
  const { child, ended } = start(t, data)
  const events: Record<string, unknown>[] = []
  const ready = Promise.withResolvers<Record<string, unknown>>()
  let rest = ''
  child.stdout.on('data', chunk => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const event = JSON.parse(line) as Record<string, unknown>
      events.push(event)
      if (event.event === 'worker.listening') {
        ready.resolve(event)
      }
    }
  })
  ended.then(
    ([complaint]) => ready.reject(new Error(`ended: ${complaint} ${JSON.stringify(events)}`)),
    () => undefined,
  )
  return { child, events, ready: await ready.promise, ended }
}

function managerFile(t: TestContext): { file: string; keyId: string } {
  const identity = anIdentity(t, 'manager')
  const file = join(temporaryFolder(t), 'manager.json')
  writeFileSync(file, JSON.stringify(publicIdentity(identity)))
  return { file, keyId: identity.keyId }
}

test('M01 a worker without a pinned manager does not start, with exit code 78 and the name of the file', async t => {
  const data = temporaryFolder(t)
  const first = await run(t, data)
  assert.equal(first.code, 78)
  assert.match(first.out, /identity\.json/)
  assert.equal((await run(t, data, ['init'])).code, 0)
  for (const pins of [undefined, '', '{"peers":[],"revoked":[]}', '{"peers":[{}]}']) {
    if (pins !== undefined) {
      writeFileSync(join(data, 'worker/peers.json'), pins)
    }
    const { code, out } = await run(t, data)
    assert.equal(code, 78)
    assert.ok(out.includes(join(data, 'worker/peers.json')))
  }
})

test('init prints a public identity that can be pinned, the same each time', async t => {
  const data = temporaryFolder(t)
  const first = await run(t, data, ['init'])
  const identity = check(PublicIdentity, JSON.parse(first.out), 'init')
  assert.deepEqual([identity.name, identity.role], ['box', 'worker'])
  assert.equal((await run(t, data, ['init'])).out, first.out)
})

test('trust refuses what is no public identity, and the identity of a worker', async t => {
  const data = temporaryFolder(t)
  const file = join(data, 'file.json')
  for (const text of ['', '{}', JSON.stringify(publicIdentity(anIdentity(t, 'worker')))]) {
    writeFileSync(file, text)
    const { code, complaint } = await run(t, data, ['trust', file])
    assert.equal(code, 78)
    assert.match(complaint, /"hint":"/)
  }
  assert.equal((await run(t, data, ['dance'])).code, 78)
})

test('a worker says where it listens, ends on SIGTERM, and cannot be started twice', async t => {
  const data = temporaryFolder(t)
  await run(t, data, ['init'])
  assert.equal((await run(t, data, ['trust', managerFile(t).file])).code, 0)
  const { child, ready, ended } = await serving(t, data)
  assert.match(String(ready.address), /^127\.0\.0\.1:[1-9]\d*$/)
  const second = await run(t, data)
  assert.equal(second.code, 78)
  assert.match(second.out, /ALREADY_RUNNING/)
  child.kill('SIGTERM')
  const [, code] = await ended
  assert.equal(code, 0)
})

test('M07 a worker ends by itself when its last manager is revoked', async t => {
  const data = temporaryFolder(t)
  const { file, keyId } = managerFile(t)
  await run(t, data, ['init'])
  await run(t, data, ['trust', file])
  const { ended } = await serving(t, data)
  assert.equal((await run(t, data, ['revoke', keyId])).code, 0)
  const [, code] = await ended
  assert.equal(code, 78)
  assert.equal((await run(t, data, ['trust', file])).code, 78)
})
