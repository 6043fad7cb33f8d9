import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { ensureBaseImage } from '#cli/demo/base-image.ts'
import { startGitServer } from '#cli/demo/git-server.ts'
import { removeFromEngine } from '#cli/demo/remove-from-engine.ts'
import { systemClock } from '#lib/clock.ts'
import { mustRun } from './world/command.ts'
import { gitOverHttps, withLogin } from './world/git-client.ts'
import { temporaryFolder } from './world/temporary-folder.ts'

const PROGRAM = join(import.meta.dirname, '../bin/fairlead')
const FOLDER = 'fairlead-demo-'

describe('the demo', () => {
  test('one that was killed leaves things behind, and the next one cleans them up and does all it says', async () => {
    const killed = await killWhileDeploying()
    ok((await tracesOf(killed)).length > 5, 'the killed demo left nothing to clean up')

    const demo = start('demo', '--exit')
    const place = placeOf(demo.pid)
    const [[code], out, err] = await Promise.all([once(demo, 'close'), text(demo.stdout), text(demo.stderr)])
    const result = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '')
    equal(code, 0, `${out}\n${err}`)
    equal(result.ok, true)
    match(result.url, /^http:\/\/hello\.localhost:\d+\/$/)
    match(result.commit, /^[0-9a-f]{40}$/)
    match(result.digest, /^sha256:[0-9a-f]{64}$/)
    equal(result.failed_requests, 0)
    ok(result.first_deploy_ms > 0 && result.second_deploy_ms > 0)
    // Without a terminal: plain lines, nothing that moves.
    match(out, /^ {2}apply {5}done {6}\d/m)
    equal(out.includes('\x1b'), false)
    deepEqual(await tracesOf(killed, await place), [])
  })

  test('Ctrl-C ends one that stays up, and nothing is left of it', async () => {
    const demo = start('demo')
    const closed = once(demo, 'close')
    const place = placeOf(demo.pid)
    const seen = await linesUntil(demo, /^Try next/)
    match(seen, /It stays up until you press Ctrl-C/)
    match(seen, /Token {6}flt_/)
    // npm hands on the signal that the terminal sent already.
    demo.kill('SIGINT')
    demo.kill('SIGINT')
    const [code] = await closed
    equal(code, 0)
    deepEqual(await tracesOf(await place), [])
  })
})

describe("the demo with a repository of one's own", () => {
  const app = `own-${process.pid}`
  const base = `fairlead-own-${process.pid}/base:1`
  const world = new AsyncDisposableStack()
  let folder = ''
  let environment: Readonly<Record<string, string>> = {}
  let server: Awaited<ReturnType<typeof startGitServer>>

  before(async () => {
    folder = await temporaryFolder(world)
    await ensureBaseImage({ name: base })
    world.defer(() => removeFromEngine({ network: app, images: [base] }))
    server = await startGitServer({
      folder: join(folder, 'git'),
      username: 'ada',
      password: 'love/lace:1843',
    })
    world.defer(server.close)
    environment = await gitOverHttps(folder, server.ca)
    await mkdir(join(folder, app))
    await git('init', '--quiet', '--initial-branch=broken')
    await commit('FROM nowhere/at-all:1\n')
    await git('checkout', '--quiet', '-b', 'good')
    await commit(
      `FROM ${base}\nRUN mkdir /www && echo hi >/www/index.html\nEXPOSE 8080\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`,
    )
    await git('checkout', '--quiet', 'broken')
  })
  after(() => world.disposeAsync())

  const git = (...args: string[]) => mustRun('git', args, { folder: join(folder, app), env: environment })

  async function commit(dockerfile: string): Promise<void> {
    await writeFile(join(folder, app, 'Dockerfile'), dockerfile)
    await git('add', '--all')
    await git('commit', '--quiet', '--message=Change')
  }

  async function demo(...words: string[]) {
    const child = start('demo', '--exit', ...words)
    const [[code], out, err] = await Promise.all([
      once(child, 'close'),
      text(child.stdout),
      text(child.stderr),
    ])
    return { code, out, err, result: JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') }
  }

  function isWholeSuccess({ code, out, err, result }: Awaited<ReturnType<typeof demo>>): void {
    equal(code, 0, `${out}\n${err}`)
    equal(result.ok, true)
    match(result.url, new RegExp(`^http://${app}\\.localhost:\\d+/$`))
    match(result.digest, /^sha256:[0-9a-f]{64}$/)
    equal(result.failed_requests, 0)
    ok(Number(/(\d+) requests in the meantime/.exec(out)?.[1]) > 0)
    ok(result.first_deploy_ms > 0 && result.second_deploy_ms > 0)
  }

  test('a branch of a local checkout is deployed twice, and the switch is measured', async () => {
    const head = (await git('rev-parse', 'good')).trim()
    const run = await demo(join(folder, app), '--branch', 'good')
    isWholeSuccess(run)
    // The second version is made in a copy.
    ok(run.result.commit !== head)
    equal((await git('rev-parse', 'good')).trim(), head)
  })

  test('what cannot be built is no success, and claims no measurement', async () => {
    const { code, result } = await demo(join(folder, app))
    equal(code, 1)
    deepEqual(
      [result.ok, result.url, result.digest, result.failed_requests, result.second_deploy_ms],
      [false, null, null, null, null],
    )
    match(result.problem, /ended failed/)
    const absent = await demo(join(folder, app), '--branch', 'nowhere')
    equal(absent.code, 1)
    deepEqual([absent.result.ok, absent.result.failed_requests], [false, null])
    match(absent.result.problem, /on a branch nowhere/)
  })

  test('one on a Git server with a password is read from there, and never pushed to', async () => {
    await server.createRepository(app)
    const url = server.url(app)
    await git('push', '--quiet', withLogin(url, server.username, server.password), 'good')
    const before = await git('ls-remote', withLogin(url, server.username, server.password))
    await writeFile(join(folder, 'password'), server.password)
    const login = ['--username', server.username, '--password-file', join(folder, 'password')]
    const run = await demo(url, '--branch', 'good', ...login, '--ca', server.caFile)
    isWholeSuccess(run)
    match(run.out, /not ours to push to/)
    equal(run.out.includes(server.password), false)
    equal(await git('ls-remote', withLogin(url, server.username, server.password)), before)
  })
})

function start(...words: string[]) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME }
  return spawn(PROGRAM, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Gives the name of its folder. */
async function killWhileDeploying(): Promise<string> {
  const demo = start('demo')
  const closed = once(demo, 'close')
  const place = placeOf(demo.pid)
  await linesUntil(demo, /^ {2}build/)
  demo.kill('SIGKILL')
  await closed
  // The worker is in the middle of it.
  await systemClock.sleep(500)
  return await place
}

/** The folder of a demo by its process id; other demos may run on this machine. */
async function placeOf(pid: number | undefined): Promise<string> {
  const deadline = systemClock.monotonic() + 30_000
  while (systemClock.monotonic() < deadline) {
    for (const name of (await readdir(tmpdir())).filter(each => each.startsWith(FOLDER))) {
      const owner = await readFile(join(tmpdir(), name, 'owner'), 'utf8').catch(() => '')
      if (owner.startsWith(`${pid} `)) {
        return name
      }
    }
    await systemClock.sleep(10)
  }
  throw new Error('the demo made no folder')
}

async function linesUntil(demo: ReturnType<typeof start>, wanted: RegExp): Promise<string> {
  const seen: string[] = []
  for await (const line of createInterface({ input: demo.stdout })) {
    seen.push(line)
    if (wanted.test(line)) {
      demo.stdout.resume()
      return seen.join('\n')
    }
  }
  throw new Error(`the demo ended early:\n${seen.join('\n')}\n${await text(demo.stderr)}`)
}

/** Folders, processes, networks, containers, images and volumes of these demos, and of the apps that only a demo has. */
async function tracesOf(...places: string[]): Promise<string[]> {
  const folders = (await readdir(tmpdir())).filter(name => places.includes(name))
  const docker = (...args: string[]) => mustRun('docker', args, { folder: '/' })
  const listed = await Promise.all([
    docker('network', 'ls', '--format', 'network {{.Name}}'),
    docker('ps', '--all', '--format', 'container {{.Names}} {{.Networks}} {{.Labels}}'),
    docker('images', '--format', 'image {{.Repository}}'),
    docker('volume', 'ls', '--format', 'volume {{.Name}} {{.Labels}}'),
  ])
  const names = places.map(place => place.toLowerCase())
  const ofApps = /network board_|project=board\b|io\.fairlead\.app=(hello|board)\b/
  const engine = listed
    .flatMap(output => output.split('\n'))
    .filter(line => ofApps.test(line) || names.some(name => line.includes(name)))
  return [...folders, ...(await processesIn(places)), ...engine].sort()
}

async function processesIn(places: readonly string[]): Promise<string[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async pid => {
      const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '')
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      const isOurs = places.some(place => folder.startsWith(join(tmpdir(), place)))
      return isOurs ? [`process ${pid} ${line.replaceAll('\0', ' ')}`] : []
    }),
  )
  return found.flat()
}
