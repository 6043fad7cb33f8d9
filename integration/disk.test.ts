import assert from 'node:assert/strict'
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { Journal } from '#agent/journal.ts'
import { startTestAgent } from '#agent/test-agent.ts'
import { TestManager } from '#agent/test-manager.ts'
import { type Part, type PartOptions, partCommandLine, startPart } from '#cli/parts.ts'
import { repositoryCheckout } from '#commands/repository.ts'
import { foldersOf } from '#commands/repository-folders.ts'
import { check } from '#lib/check.ts'
import { systemClock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'
import { command } from './world/command.ts'
import { gitWorld } from './world/git-world.ts'
import { mountSmallDisk, type SmallDisk } from './world/small-disk.ts'

interface Scene {
  readonly disk: SmallDisk
  readonly manager: Part
  readonly url: string
  readonly token: string
  readonly hook: { readonly url: string; readonly secret: string }
}

test('W35 a manager whose disk is full claims nothing, still answers who reads, and goes on when there is space', async t => {
  await using stack = new AsyncDisposableStack()
  const scene = await aScene(t, stack)
  if (!scene) {
    return
  }
  const { disk } = scene
  assert.equal((await deliver(scene)).status, 202)
  await disk.fill()
  const accepted: string[] = []
  const refused: Response[] = []
  // The log of changes has some room left in its file.
  for (let sent = 0; refused.length < 20; sent += 1) {
    assert.ok(sent < 5000, 'the disk is full')
    const id = randomUUID()
    const answer = await deliver(scene, id)
    if (answer.status === 202) {
      accepted.push(id)
    } else {
      refused.push(answer)
    }
  }
  for (const answer of refused) {
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
    assert.equal((await read(answer)).body.error, 'store-full')
  }
  const write = await api(scene, 'POST', '/apps/shop/deploy', { commit: 'a'.repeat(40) })
  assert.equal(write.status, 503)
  assert.match(write.headers.get('content-type') ?? '', /^application\/problem\+json/)
  const problem = (await read(write)).body
  assert.equal(problem.code, 'STORE_FULL')
  assert.match(problem.hint ?? '', /Free some space/)
  assert.equal((await api(scene, 'GET', '/deployments')).status, 200)
  assert.equal((await fetch(`${scene.url}/health/live`)).status, 200)

  await disk.free()
  const id = randomUUID()
  assert.equal((await deliver(scene, id)).status, 202)
  assert.deepEqual(await missing(scene, [...accepted, id]), [])
  assert.equal((await api(scene, 'POST', '/apps/shop/deploy', { commit: 'a'.repeat(40) })).status, 202)
  process.kill(scene.manager.pid, 0)
})

test('W35 another program that holds the database locked delays writers and stops nobody', async t => {
  await using stack = new AsyncDisposableStack()
  const scene = await aScene(t, stack)
  if (!scene) {
    return
  }
  // It waits for what the manager writes just now.
  const other = new DatabaseSync(join(scene.disk.folder, 'manager/fairlead.db'), { timeout: 60_000 })
  stack.defer(() => other.close())
  other.exec('begin immediate')
  const waiting = deliver(scene)
  await systemClock.sleep(300)
  assert.equal((await fetch(`${scene.url}/health/live`)).status, 200, 'it is not blocked')
  other.exec('rollback')
  assert.equal((await waiting).status, 202, 'a short lock is only waited for')

  other.exec('begin immediate')
  const answer = await deliver(scene)
  assert.equal(answer.status, 503)
  assert.equal((await read(answer)).body.error, 'store-locked')
  assert.ok(Number(answer.headers.get('retry-after')) > 0)
  other.exec('rollback')
  assert.equal((await deliver(scene)).status, 202)
})

test('a manager that may not write its folder says so once and does not try for ever', async t => {
  await using stack = new AsyncDisposableStack()
  const disk = await mountSmallDisk(stack, 8)
  if (!disk) {
    t.skip('no file system can be mounted here')
    return
  }
  const first = await startManager(disk)
  await first.close()
  await disk.remount('ro')
  stack.defer(() => disk.remount('rw'))
  await assert.rejects(startManager(disk), { code: 'DATA_UNWRITABLE', hint: /mounted for writing/ })

  const { program, args, env } = partCommandLine(managerPart(disk))
  const { code, stdout, stderr } = await command(program, args, { folder: '/', env })
  const lines = stdout.split('\n').filter(line => line.includes('"event":"manager.failed"'))
  assert.equal(lines.length, 1, stdout + stderr)
  assert.match(lines[0] ?? '', /"code":"STORE_UNWRITABLE".*mounted for writing/)
  assert.equal(code, 78, 'a supervisor does not start it again')
})

test('a manager whose data folder cannot be made says which one and what to do', async t => {
  await using stack = new AsyncDisposableStack()
  const disk = await mountSmallDisk(stack, 8)
  if (!disk) {
    t.skip('no file system can be mounted here')
    return
  }
  await disk.remount('ro')
  await assert.rejects(startManager(disk), {
    code: 'DATA_UNWRITABLE',
    message: new RegExp(join(disk.folder, 'manager')),
    hint: /mounted for writing/,
  })
})

test('a worker whose disk is read-only keeps its journal, which still knows everything when it can be written', async t => {
  await using stack = new AsyncDisposableStack()
  const disk = await mountSmallDisk(stack, 4)
  if (!disk) {
    t.skip('no file system can be mounted here')
    return
  }
  const open = () => new Journal(join(disk.folder, 'journal.db'), systemClock)
  const before = open()
  const row = { id: randomUUID(), name: 'test.echo', idem: '0'.repeat(64) }
  before.begin(row)
  before.end(row.id, { state: 'succeeded', result: '{}', seq: 0 })
  before.close()
  await disk.remount('ro')
  assert.throws(open, { code: 'JOURNAL_UNWRITABLE', hint: /^Keep .*mounted for writing/ })
  await disk.remount('rw')
  const after = open()
  assert.equal(after.find(row.id)?.state, 'succeeded')
  after.close()
})

test('a worker whose disk is full refuses commands with DISK_FULL and goes on when there is space', async t => {
  await using stack = new AsyncDisposableStack()
  const disk = await mountSmallDisk(stack, 4)
  if (!disk) {
    t.skip('no file system can be mounted here')
    return
  }
  const agent = await startTestAgent(t, { folder: disk.folder })
  stack.defer(agent.stop)
  const manager = new TestManager(t, agent)
  await manager.open()
  const codeOf = async (text: string) => {
    const { command, data } = await manager.ending(manager.tell('test.echo', { text }))
    return command === 'error' ? (data.error as { code: string }).code : command
  }
  assert.equal(await codeOf('before'), 'result')
  await disk.fill()
  let code = 'result'
  for (let told = 0; code === 'result'; told += 1) {
    assert.ok(told < 5000, 'the disk is full')
    code = await codeOf('x'.repeat(1000))
  }
  assert.equal(code, 'DISK_FULL')
  const done = agent.stage.done.length
  assert.equal(await codeOf('not done'), 'DISK_FULL')
  assert.equal(agent.stage.done.length, done, 'what is not in the journal is not done')

  const another = () => new Journal(join(disk.folder, 'another.db'), systemClock)
  assert.throws(another, (error: FairleadError) => {
    assert.equal(
      error.code,
      'DISK_FULL',
      `${error.message} ${(error.cause as { errcode?: number })?.errcode}`,
    )
    return true
  })

  manager.socket.terminate()
  const again = new TestManager(t, agent)
  await again.open()
  await disk.free()
  assert.equal((await again.ending(again.tell('test.echo', { text: 'after' }))).command, 'result')
  again.socket.terminate()
})

test('W35 a manager that is started on a full disk says so, and goes on where it was when there is space', async t => {
  await using stack = new AsyncDisposableStack()
  const scene = await aScene(t, stack)
  if (!scene) {
    return
  }
  const id = randomUUID()
  assert.equal((await deliver(scene, id)).status, 202)
  await scene.manager.close()
  await scene.disk.fill()
  await assert.rejects(startManager(scene.disk), (error: Error & { hint?: string }) => {
    assert.match(`${error.message} ${error.hint}`, /full|space/i)
    return true
  })
  await scene.disk.free()
  const again = await startManager(scene.disk)
  stack.defer(again.close)
  assert.deepEqual(await missing(scene, [id]), [])
  const later = { ...scene, url: String(again.ready.url) }
  assert.equal((await api(later, 'POST', '/apps/shop/deploy', { commit: 'a'.repeat(40) })).status, 202)
})

test('a checkout that fills the disk of the worker leaves nothing and works when there is space', async t => {
  await using stack = new AsyncDisposableStack()
  const disk = await mountSmallDisk(stack, 8)
  if (!disk) {
    t.skip('no file system can be mounted here')
    return
  }
  const git = await gitWorld(stack, { workspace: join(disk.folder, 'workspace') })
  const checkout = () =>
    repositoryCheckout.run(git.hands, check(repositoryCheckout.data, { ...git.data }, 'data'))
  await git.commit({ 'compose.yaml': 'services: {}\n' })
  const { commit } = await checkout()
  await git.commit({ 'compose.yaml': 'services: {}\n', big: randomBytes(1_500_000).toString('base64') })
  // Once there is not even room for the pack, once for the pack alone.
  for (const left of [500_000, 2_500_000]) {
    await disk.fill(left)
    await assert.rejects(checkout(), (error: FairleadError) => {
      assert.match(error.code, /^(WORKSPACE_FULL|DISK_FULL)$/, error.message)
      assert.equal(error.retry, 'later')
      assert.ok(error.hint.length > 20)
      return true
    })
    const { checkouts } = foldersOf(git.hands.workspace, 'app')
    assert.deepEqual(await readdir(checkouts), [commit])
    await disk.free()
  }
  assert.notEqual((await checkout()).commit, commit)
})

test('a command whose end finds no space in the journal counts as interrupted, and the next is taken when there is space', async t => {
  await using stack = new AsyncDisposableStack()
  const disk = await mountSmallDisk(stack, 4)
  if (!disk) {
    t.skip('no file system can be mounted here')
    return
  }
  const agent = await startTestAgent(t, { folder: disk.folder })
  stack.defer(agent.stop)
  const manager = new TestManager(t, agent)
  await manager.open()
  const id = manager.tell('test.wait', { gate: 'build' })
  await until(() => agent.stage.done.includes('start build'))
  await disk.fill()
  agent.stage.open('build')
  const { command, data } = await manager.ending(id)
  // Its end is nowhere on the disk, so nobody may rely on it: the manager looks at what there is and does it again.
  assert.equal(command, 'error')
  assert.equal((data.error as { code: string }).code, 'COMMAND_INTERRUPTED')
  await disk.free()
  const after = await manager.ending(manager.tell('test.echo', { text: 'after' }))
  assert.equal(after.command, 'result')
  manager.socket.terminate()
})

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await systemClock.sleep(20)
  }
}

async function startManager(disk: SmallDisk): Promise<Part> {
  return await startPart(managerPart(disk))
}

function managerPart(disk: SmallDisk): PartOptions {
  const environment = {
    FAIRLEAD_LISTEN: '127.0.0.1:0',
    FAIRLEAD_GIT_HOSTS: 'git.example.org',
    FAIRLEAD_ADMIN_TOKEN_FILE: join(disk.folder, 'manager/token'),
  }
  return { name: 'manager', data: disk.folder, environment }
}

/** A manager on a small disk with an app on a host that never answers; undefined where no disk can be mounted. */
async function aScene(t: TestContext, stack: AsyncDisposableStack): Promise<Scene | undefined> {
  const disk = await mountSmallDisk(stack, 8)
  if (!disk) {
    t.skip('no file system can be mounted here')
    return undefined
  }
  const manager = await startManager(disk)
  stack.defer(manager.close)
  const url = String(manager.ready.url)
  const token = (await readFile(join(disk.folder, 'manager/token'), 'utf8')).trim()
  const scene = { disk, manager, url, token, hook: { url: '', secret: '' } }
  const place = {
    folder: join(disk.folder, 'host'),
    clock: systemClock,
    name: 'local',
    role: 'worker',
  } as const
  const identity = publicIdentity(loadOrCreateIdentity(place))
  await made(api(scene, 'POST', '/hosts', { address: '127.0.0.1:1', identity }))
  const repository = { name: 'shop', url: 'https://git.example.org/x.git', poll_seconds: 0 }
  await made(api(scene, 'POST', '/repositories', repository))
  await made(api(scene, 'POST', '/apps', { name: 'shop', repository: 'shop' }))
  const { url: address = '', secret = '' } = await made(
    api(scene, 'POST', '/repositories/shop/webhook-secret', { git_host: 'github' }),
  )
  return { ...scene, hook: { url: url + new URL(address).pathname, secret } }
}

async function api({ url, token }: Scene, method: string, path: string, body?: object): Promise<Response> {
  return await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
}

async function made(answer: Promise<Response>): Promise<Readonly<Record<string, string>>> {
  const { status, body } = await read(answer)
  assert.ok(status < 300, JSON.stringify(body))
  return body
}

async function read(answer: Promise<Response> | Response) {
  const { status, headers } = await answer
  return { status, headers, body: (await (await answer).json()) as Readonly<Record<string, string>> }
}

async function deliver({ hook }: Scene, id: string = randomUUID()): Promise<Response> {
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    before: 'a'.repeat(40),
    after: 'b'.repeat(40),
    repository: { id: 1 },
    id,
  })
  return await fetch(hook.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}`,
    },
    body,
  })
}

/** Accepted deliveries that are not stored. */
async function missing({ disk }: Scene, ids: readonly string[]): Promise<string[]> {
  const db = new DatabaseSync(join(disk.folder, 'manager/fairlead.db'), { readOnly: true })
  try {
    const rows = db.prepare('select delivery_id from deliveries').all()
    const stored = new Set(rows.map(row => row.delivery_id))
    return ids.filter(id => !stored.has(id))
  } finally {
    db.close()
  }
}
