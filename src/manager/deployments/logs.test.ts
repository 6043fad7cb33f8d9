import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { type DeploymentLine, DeploymentLogs } from './logs.ts'

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

test('a follower gets what is stored and what comes, each line once', async () => {
  const logs = new DeploymentLogs(folder)
  await logs.append('d', [line('a')])
  const seen: string[] = []
  const following = logs.follow('d', 0, got => seen.push(got.text))
  await logs.append('d', [line('b')])
  const follower = await following
  await logs.append('d', [line('c')])
  follower.close()
  await logs.append('d', [line('d')])
  assert.deepEqual(seen, ['a', 'b', 'c'])
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
