import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { DeploymentLine } from './log-line.ts'
import { DeploymentLogs } from './logs.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fairlead-logs-'))
})

afterEach(() => rm(folder, { recursive: true }))

const line = (text: string, command?: string, commandSeq?: number) => ({
  at: 1,
  step: 'build',
  stream: 'stdout' as const,
  text,
  ...(command === undefined ? {} : { command, commandSeq: commandSeq ?? 0 }),
})

test('lines are numbered in the order in which they were appended', async () => {
  const logs = new DeploymentLogs(folder)
  await Promise.all([logs.append('d', [line('a'), line('b')]), logs.append('d', [line('c')])])
  assert.deepEqual(await texts(logs.read('d')), ['1 a', '2 b', '3 c'])
  assert.deepEqual(await texts(logs.read('d', 2)), ['3 c'])
})

test('a deployment without a log reads as empty', async () => {
  assert.deepEqual(await texts(new DeploymentLogs(folder).read('none')), [])
})

test('a line of a command that is delivered twice is stored once, also after a restart', async () => {
  const first = new DeploymentLogs(folder)
  await first.append('d', [line('a', 'c1', 1), line('b', 'c1', 2)])
  const second = new DeploymentLogs(folder)
  assert.equal(await second.lastSeqOf('d', 'c1'), 2)
  await second.append('d', [line('b', 'c1', 2), line('c', 'c1', 3)])
  assert.deepEqual(await texts(second.read('d')), ['1 a', '2 b', '3 c'])
})

test('a line that was half written at a crash is cut off', async () => {
  const first = new DeploymentLogs(folder)
  await first.append('d', [line('a')])
  await appendFile(join(folder, 'd.jsonl'), '{"seq":2,"at":1,"te')
  const second = new DeploymentLogs(folder)
  await second.append('d', [line('b')])
  assert.deepEqual(await texts(second.read('d')), ['1 a', '2 b'])
})

test('M22 a follower gets what is stored and what comes, each line once', async () => {
  const logs = new DeploymentLogs(folder)
  await logs.append('d', [line('a')])
  const over = new AbortController()
  const seen = texts(logs.follow('d', 0, over.signal))
  await logs.append('d', [line('b')])
  await logs.append('d', [line('c')])
  over.abort()
  assert.deepEqual(await seen, ['1 a', '2 b', '3 c'])
})

test('M22 a follower that comes back goes on after the last line it had', async () => {
  const logs = new DeploymentLogs(folder, { segmentBytes: 200, first: 100, last: 100 })
  const over = new AbortController()
  const got: number[] = []
  const follower = (async () => {
    for (let left = 1; !over.signal.aborted; left += 1) {
      for await (const { seq } of logs.follow('d', got.at(-1) ?? 0, over.signal)) {
        got.push(seq)
        if (got.length % (7 * left) === 0) {
          break
        }
      }
    }
  })()
  for (let count = 1; count <= 200; count += 1) {
    await logs.append('d', [line(`line ${count}`, 'c', count)])
  }
  while (got.length < 200) {
    await new Promise(setImmediate)
  }
  over.abort()
  await follower
  assert.deepEqual(
    got,
    Array.from({ length: 200 }, (_, index) => index + 1),
  )
})

test('P10 a long log keeps its beginning and its end within its bounds, with a mark between them', async () => {
  const bounds = { segmentBytes: 10_000, first: 2, last: 3 }
  const logs = new DeploymentLogs(folder, bounds)
  for (let count = 1; count <= 3000; count += 10) {
    const piece = Array.from({ length: 10 }, (_, index) => line('x'.repeat(40), 'c', count + index))
    await logs.append('d', piece)
  }
  assert.ok((await sizeOf(folder)) < 6 * 12_000)
  for (const one of [logs, new DeploymentLogs(folder, bounds)]) {
    assert.equal(await one.lastSeqOf('d', 'c'), 3000)
    const lines = await Array.fromAsync(one.read('d'))
    const marks = lines.filter(({ command }) => command === undefined)
    assert.equal(marks.length, 1)
    const missing = Number(/\d+/.exec(marks[0]?.text ?? '')?.[0])
    assert.equal(lines.length - 1 + missing, 3000)
    assert.deepEqual([lines[0]?.seq, lines.at(-1)?.seq], [1, 3000])
    const after = await Array.fromAsync(one.read('d', marks[0]?.seq))
    assert.deepEqual(after, lines.slice(lines.indexOf(marks[0] as DeploymentLine) + 1))
  }
})

test('a command whose lines are no longer kept is still not stored twice, also after a restart', async () => {
  const bounds = { segmentBytes: 1000, first: 1, last: 1 }
  const logs = new DeploymentLogs(folder, bounds)
  await logs.append('d', [line('x'.repeat(1000), 'other', 1)])
  await logs.append('d', [line('x'.repeat(1000), 'early', 1)])
  await logs.append('d', [line('x'.repeat(1000), 'late', 1)])
  await logs.append('d', [line('x'.repeat(1000), 'late', 2)])
  assert.equal(await new DeploymentLogs(folder, bounds).lastSeqOf('d', 'early'), 1)
})

test('nothing of a removed log is left', async () => {
  const logs = new DeploymentLogs(folder, { segmentBytes: 10, first: 1, last: 2 })
  for (let count = 0; count < 5; count += 1) {
    await logs.append('d', [line('x'.repeat(20))])
  }
  await logs.remove('d')
  assert.equal(await sizeOf(folder), 0)
  assert.deepEqual(await texts(logs.read('d')), [])
})

test('L02 a line that imitates a log record stays a text', async () => {
  const logs = new DeploymentLogs(folder)
  await logs.append('d', [line('{"level":"info","event":"deployment.ended"}\n{"seq":9}')])
  assert.deepEqual(await texts(logs.read('d')), ['1 {"level":"info","event":"deployment.ended"}\n{"seq":9}'])
})

async function texts(lines: AsyncIterable<DeploymentLine>): Promise<string[]> {
  const found: string[] = []
  for await (const { seq, text } of lines) {
    found.push(`${seq} ${text}`)
  }
  return found
}

async function sizeOf(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile())
  const sizes = await Promise.all(
    files.map(async file => (await stat(join(file.parentPath, file.name))).size),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
