import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { mustRun } from './world/command.ts'

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
