import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHmac, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'

const ROOT = join(import.meta.dirname, '../..')
/** Tries what the manager must not be able to do, before its own code runs. */
const TRY_TO_START = `data:text/javascript,${encodeURIComponent(`
  try {
    process.getBuiltinModule('node:child_process').spawn('/bin/true')
    console.log('{"event":"test.started"}')
  } catch (error) {
    console.log(JSON.stringify({ event: 'test.refused', code: error.code }))
  }
`)}`

interface Running {
  readonly process: ChildProcess
  readonly lines: Record<string, unknown>[]
  /** The line with this event; rejects when the process ends without it. */
  line(event: string): Promise<Record<string, unknown>>
  ended: Promise<number | null>
}

let folder = ''
let port = 0
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-main-'))
  port = await freePort()
})
after(() => rmSync(folder, { recursive: true, force: true }))

test('R79 the manager starts without the right to start programs, serves, and keeps its token over a crash', async () => {
  const first = start()
  assert.equal((await first.line('test.refused')).code, 'ERR_ACCESS_DENIED')
  const { url } = await first.line('manager.listening')
  const token = tokenIn('admin-token')
  assert.match(token, /^flt_[\w-]{43}$/)
  for (const file of ['admin-token', 'secret.key', 'identity/identity.json', 'fairlead.db']) {
    assert.equal(
      statSync(join(folder, file === 'admin-token' ? file : `data/manager/${file}`)).mode & 0o077,
      0,
      file,
    )
  }
  assert.equal(await statusOf(url, token), 200)
  assert.equal((await fetch(`${url}/health/ready`)).status, 200)
  assert.equal((await fetch(`${url}/api/v1/docs`)).status, 200)
  first.process.kill('SIGKILL')
  await first.ended

  const second = start()
  await second.line('manager.listening')
  assert.equal(await statusOf(url, token), 200)
  assert.ok(!second.lines.some(({ event }) => event === 'manager.first-token'))
  second.process.kill('SIGTERM')
  assert.equal(await second.ended, 0)
})

test('P2 every delivery that was answered 202 is there after kill -9 in the middle of 50 connections', async () => {
  const first = start({ FAIRLEAD_DATA: join(folder, 'crash') })
  const { url } = await first.line('manager.listening')
  const token = tokenIn('admin-token')
  const hook = await aHook(String(url), String(token))
  const accepted: string[] = []
  const named: string[] = []
  let sent = 0
  async function send(): Promise<void> {
    while (sent < 1000) {
      sent += 1
      const id = randomUUID()
      const answer = await deliver(hook, id).catch(() => undefined)
      if (answer?.status === 202) {
        accepted.push(id)
        const text = await answer.text().catch(() => '{}')
        named.push(...((JSON.parse(text) as { deployments?: string[] }).deployments ?? []))
      }
      if (accepted.length === 150) {
        first.process.kill('SIGKILL')
      }
    }
  }
  await Promise.all(Array.from({ length: 50 }, send))
  await first.ended
  assert.ok(accepted.length >= 150 && accepted.length < 1000, `${accepted.length} accepted`)
  const second = start({ FAIRLEAD_DATA: join(folder, 'crash') })
  await second.line('manager.listening')
  const db = new DatabaseSync(join(folder, 'crash/manager/fairlead.db'), { readOnly: true })
  const lost = (ids: readonly string[], query: string) => {
    const stored = new Set(
      db
        .prepare(query)
        .all()
        .map(row => row.id),
    )
    return ids.filter(id => !stored.has(id))
  }
  assert.deepEqual(lost(accepted, 'select delivery_id as id from deliveries'), [])
  assert.ok(named.length > 0)
  assert.deepEqual(lost(named, 'select id from deployments'), [])
  db.close()
  second.process.kill('SIGTERM')
  assert.equal(await second.ended, 0)
})

test('a first token that has a file is only there; without one the log shows it once', async () => {
  const data = join(folder, 'shown')
  const kept = start({ FAIRLEAD_DATA: data, FAIRLEAD_ADMIN_TOKEN_FILE: join(folder, 'kept') })
  assert.equal((await kept.line('manager.first-token')).file, join(folder, 'kept'))
  await kept.line('manager.listening')
  kept.process.kill('SIGTERM')
  await kept.ended
  assert.match(tokenIn('kept'), /^flt_/)
  assert.ok(!JSON.stringify(kept.lines).includes('flt_'))

  const shown = start({ FAIRLEAD_DATA: join(folder, 'logged'), FAIRLEAD_ADMIN_TOKEN_FILE: '' })
  const { url } = await shown.line('manager.listening')
  const { token } = await shown.line('manager.first-token')
  assert.equal(await statusOf(url, token), 200)
  shown.process.kill('SIGTERM')
  await shown.ended
})

test('a second manager on the same folder says so and ends', async () => {
  const first = start()
  await first.line('manager.listening')
  const second = start({ FAIRLEAD_LISTEN: '127.0.0.1:0' })
  assert.equal(await second.ended, 1)
  assert.equal(second.lines.at(-1)?.code, 'STORE_IN_USE')
  first.process.kill('SIGTERM')
  assert.equal(await first.ended, 0)
})

test('a wrong setting ends the start with every problem, and no secret, in the log', async () => {
  const wrong = start({
    FAIRLEAD_LISTEN: 'nowhere',
    FAIRLEAD_REGISTRY_PASSWORD: 'canary',
    FAIRLEAD_COLOUR: 'red',
  })
  assert.equal(await wrong.ended, 78)
  assert.deepEqual(
    wrong.lines.filter(({ event }) => event === 'manager.problem').map(({ path }) => path),
    ['FAIRLEAD_LISTEN', 'FAIRLEAD_COLOUR'],
  )
  assert.doesNotMatch(JSON.stringify(wrong.lines), /canary/)
})

test('"identity" prints what hosts have to pin', async () => {
  const asked = start({}, ['identity'])
  assert.equal(await asked.ended, 0)
  const text = asked.lines.map(line => line.text).join('\n')
  assert.equal(JSON.parse(text.slice(text.indexOf('\n{') + 1)).role, 'manager')
})

function tokenIn(file: string): string {
  return readFileSync(join(folder, file), 'utf8').trimEnd()
}

function start(environment: Record<string, string> = {}, words: readonly string[] = []): Running {
  const data = join(folder, 'data')
  const allowed = [`--allow-fs-read=${ROOT}`, `--allow-fs-read=${folder}`, `--allow-fs-write=${folder}`]
  const flags = ['--permission', '--allow-net', ...allowed, '--import', TRY_TO_START]
  const child = spawn(process.execPath, [...flags, join(ROOT, 'src/manager/main.ts'), ...words], {
    env: {
      FAIRLEAD_DATA: data,
      FAIRLEAD_GIT_HOSTS: 'git.example.org',
      FAIRLEAD_LISTEN: `127.0.0.1:${port}`,
      FAIRLEAD_ADMIN_TOKEN_FILE: join(folder, 'admin-token'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: Record<string, unknown>[] = []
  const reader = createInterface({ input: child.stdout })
  const waiting = new Set<() => void>()
  reader.on('line', text => {
    lines.push(text.startsWith('{"') ? JSON.parse(text) : { text })
    for (const look of waiting) {
      look()
    }
  })
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  return {
    process: child,
    lines,
    ended,
    line: event =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find(line => line.event === event)
          if (found) {
            waiting.delete(look)
            resolve(found)
          }
        }
        waiting.add(look)
        look()
        void ended.then(() => reject(new Error(`ended without ${event}: ${JSON.stringify(lines)}`)))
      }),
  }
}

/** A repository with an app and a webhook, on a host that never answers. */
async function aHook(url: string, token: string): Promise<{ url: string; secret: string }> {
  const place = { folder: join(folder, 'worker'), clock: systemClock, name: 'local', role: 'worker' } as const
  const identity = publicIdentity(loadOrCreateIdentity(place))
  const post = async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const answer = await fetch(`${url}/api/v1${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    assert.ok(answer.ok, await answer.clone().text())
    return (await answer.json()) as { url: string; secret: string }
  }
  await post('/hosts', { address: '127.0.0.1:1', identity })
  await post('/repositories', { name: 'shop', url: 'https://git.example.org/x.git', poll_seconds: 0 })
  await post('/apps', { name: 'shop', repository: 'shop' })
  return await post('/repositories/shop/webhook-secret', { git_host: 'github' })
}

async function deliver(hook: { url: string; secret: string }, id: string): Promise<Response> {
  const commits = { before: 'a'.repeat(40), after: 'b'.repeat(40) }
  const body = JSON.stringify({ ref: 'refs/heads/main', ...commits, repository: { id: 1 }, id })
  const signature = createHmac('sha256', hook.secret).update(body).digest('hex')
  return await fetch(hook.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-hub-signature-256': `sha256=${signature}`,
      'x-github-event': 'push',
      'x-github-delivery': id,
    },
    body,
  })
}

async function statusOf(url: unknown, token: unknown): Promise<number> {
  return (await fetch(`${url}/api/v1/apps`, { headers: { authorization: `Bearer ${token}` } })).status
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
