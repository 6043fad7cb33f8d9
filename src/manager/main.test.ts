import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'

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

test('R102 the manager starts without the right to start programs, serves, and keeps its token over a crash', async () => {
  const first = start()
  assert.equal((await first.line('test.refused')).code, 'ERR_ACCESS_DENIED')
  const { url } = await first.line('manager.listening')
  const { token } = await first.line('manager.first-token')
  assert.equal(readFileSync(join(folder, 'admin-token'), 'utf8'), `${token}\n`)
  for (const file of ['admin-token', 'data/secret.key', 'data/identity/identity.json', 'data/fairlead.db']) {
    assert.equal(statSync(join(folder, file)).mode & 0o077, 0, file)
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

function start(environment: Record<string, string> = {}, words: readonly string[] = []): Running {
  const data = join(folder, 'data')
  const allowed = [`--allow-fs-read=${ROOT}`, `--allow-fs-read=${folder}`, `--allow-fs-write=${folder}`]
  const flags = ['--permission', '--allow-net', ...allowed, '--import', TRY_TO_START]
  const child = spawn(process.execPath, [...flags, join(ROOT, 'src/manager/main.ts'), ...words], {
    env: {
      FAIRLEAD_DATA: data,
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
        ended.then(() => reject(new Error(`ended without ${event}: ${JSON.stringify(lines)}`)))
      }),
  }
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
