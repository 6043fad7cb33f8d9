import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '#lib/clock.ts'
import { temporaryFolder } from '#link/test-identities.ts'
import { CommandLog } from './command-log.ts'
import type { LogReader } from './log-reader.ts'

function aFolder(t: TestContext): string {
  return join(temporaryFolder(t), 'log')
}

function readAll(reader: LogReader): { seqs: number[]; texts: string[]; dropped: number } {
  const all = { seqs: [] as number[], texts: [] as string[], dropped: 0 }
  for (let batch = reader.read(); batch; batch = reader.read()) {
    all.seqs.push(...batch.lines.map(({ seq }) => seq))
    all.texts.push(...batch.lines.map(({ text }) => text))
    all.dropped += batch.dropped
  }
  return all
}

function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

test('L01 a line comes back exactly as it was said, whatever is in it', t => {
  const log = CommandLog.create(aFolder(t), systemClock)
  const said: string[] = []
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => {
      said.push(text)
      log.append('stdout', text)
    }),
  )
  log.end()
  assert.deepEqual(readAll(log.reader(0)).texts, said)
})

test('M22 a log is read from any line on, while it grows and after a restart', t => {
  const folder = aFolder(t)
  const log = CommandLog.create(folder, systemClock, { segmentBytes: 1000, segments: 64 })
  for (let line = 1; line <= 500; line++) {
    log.append('stdout', `line ${line}`)
    log.flush()
  }
  const growing = log.reader(490)
  assert.deepEqual(readAll(growing).seqs, [491, 492, 493, 494, 495, 496, 497, 498, 499, 500])
  log.append('stderr', 'more')
  log.end()
  assert.deepEqual(readAll(growing).texts, ['more'])
  for (const after of [0, 1, 13, 250, 500, 501]) {
    const wanted = Array.from({ length: 501 - after }, (_, index) => after + 1 + index)
    assert.deepEqual(readAll(log.reader(after)).seqs, wanted)
    assert.deepEqual(readAll(CommandLog.open(folder).reader(after)).seqs, wanted)
  }
})

test('P10 a long log keeps its beginning and its end, says how much is missing, and stays in its bounds', t => {
  const folder = aFolder(t)
  const log = CommandLog.create(folder, systemClock, { segmentBytes: 100_000, segments: 5 })
  const early = log.reader(0)
  for (let line = 1; line <= 20_000; line++) {
    log.append('stdout', `line ${line} ${'x'.repeat(50)}`)
  }
  log.end()
  assert.ok(sizeOf(folder) < 5 * 100_000 + 5 * 70_000)
  const { seqs, dropped } = readAll(early)
  assert.equal(seqs[0], 1)
  assert.equal(seqs.at(-1), 20_000)
  assert.ok(dropped > 0)
  assert.equal(seqs.length + dropped, 20_000)
  assert.deepEqual(readAll(CommandLog.open(folder).reader(0)), { ...readAll(log.reader(0)), dropped })
})

test('P10 a reader that is overtaken goes on after the gap', t => {
  const log = CommandLog.create(aFolder(t), systemClock, { segmentBytes: 1000, segments: 4 })
  const reader = log.reader(0)
  log.append('stdout', 'first')
  log.flush()
  assert.equal(reader.read()?.lines.length, 1)
  for (let line = 2; line <= 3000; line++) {
    log.append('stdout', `line ${line}`)
    log.flush()
  }
  const { seqs, dropped } = readAll(reader)
  assert.equal(seqs.length + dropped, 2999)
  assert.equal(seqs.at(-1), 3000)
})

test('half a line of a full disk or a power cut counts as missing', t => {
  const folder = aFolder(t)
  const log = CommandLog.create(folder, systemClock)
  for (let line = 1; line <= 3; line++) {
    log.append('stdout', `line ${line}`)
  }
  log.end()
  const file = join(folder, '0000000000000001.log')
  const lines = [1, 3].map(seq => JSON.stringify({ seq, at: 0, stream: 'stdout', text: `line ${seq}` }))
  writeFileSync(file, `${lines[0]}\n{"seq":2,"at\n${lines[1]}\n{"seq":4,"at":0`)
  const reader = CommandLog.open(folder).reader(0)
  assert.deepEqual(reader.read(), { lines: [JSON.parse(lines[0] ?? '')], dropped: 0 })
  assert.deepEqual(reader.read(), { lines: [JSON.parse(lines[1] ?? '')], dropped: 1 })
  assert.equal(reader.read(), undefined)
})

test('a log whose files are gone is empty', t => {
  const log = CommandLog.open(aFolder(t))
  assert.equal(log.ended, true)
  assert.equal(log.reader(0).read(), undefined)
})

test('whoever watches hears of lines within the batch and of the end', async t => {
  const log = CommandLog.create(aFolder(t), systemClock)
  const heard = Promise.withResolvers<void>()
  const unwatch = log.watch(heard.resolve)
  log.append('info', 'one')
  await heard.promise
  assert.equal(log.reader(0).read()?.lines.length, 1)
  unwatch()
  log.end()
  log.append('info', 'too late')
  assert.equal(log.seq, 1)
})
