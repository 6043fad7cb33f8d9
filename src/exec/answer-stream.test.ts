import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDockerLog, createJsonLines } from './answer-stream.ts'

test('frames of a container log become lines of their stream, wherever the bytes are split', () => {
  const whole = Buffer.concat([
    frame(1, 'out 1\nout '),
    frame(2, 'err é\n'),
    frame(1, '2\n'),
    frame(0, 'in\n'),
    frame(1, ''),
    frame(1, 'last'),
  ])
  const expected = ['stdout: out 1', 'stderr: err é', 'stdout: out 2', 'stdout: in', 'stdout: last']
  assert.deepEqual(linesOf([whole]), expected)
  for (let at = 1; at < whole.length; at++) {
    assert.deepEqual(linesOf([whole.subarray(0, at), whole.subarray(at)]), expected)
  }
  assert.deepEqual(linesOf(Array.from(whole, byte => Buffer.from([byte]))), expected)
})

test('the log of a container with a terminal is taken as it is', () => {
  const text = 'hello\r\nprompt> \x1b[31mred\r\nend'
  const expected = ['stdout: hello', 'stdout: prompt> \x1b[31mred', 'stdout: end']
  assert.deepEqual(linesOf([Buffer.from(text)]), expected)
  assert.deepEqual(linesOf([...text].map(sign => Buffer.from(sign))), expected)
})

test('a short log of a terminal and an empty log', () => {
  assert.deepEqual(linesOf([Buffer.from('hi\r\n')]), ['stdout: hi'])
  assert.deepEqual(linesOf([]), [])
})

test('what follows a broken frame is not lost', () => {
  assert.deepEqual(linesOf([frame(1, 'a\n'), Buffer.from('not a frame\n')]), [
    'stdout: a',
    'stdout: not a frame',
  ])
})

test('a frame of 50 MB is handed on in lines of 16 KiB', () => {
  const size = 50 * 1024 * 1024
  const seen: number[] = []
  const log = createDockerLog(event => seen.push(event.kind === 'line' ? event.text.length : 0))
  const header = Buffer.alloc(8)
  header[0] = 1
  header.writeUInt32BE(size, 4)
  log.write(header)
  const part = Buffer.alloc(1024 * 1024, 'x')
  for (let i = 0; i < 50; i++) {
    log.write(part)
  }
  log.end()
  assert.equal(
    seen.reduce((a, b) => a + b),
    size,
  )
  assert.equal(Math.max(...seen), 16 * 1024)
})

test('a line of JSON without an end is refused at 4 MiB', () => {
  const lines = createJsonLines(() => {})
  assert.throws(() => {
    for (let i = 0; i < 5; i++) {
      lines.write(Buffer.alloc(1024 * 1024, '1'))
    }
  }, SyntaxError)
})

function linesOf(chunks: readonly Buffer[]): string[] {
  const seen: string[] = []
  const log = createDockerLog(event =>
    seen.push(event.kind === 'line' ? `${event.stream}: ${event.text}` : 'json'),
  )
  for (const chunk of chunks) {
    log.write(chunk)
  }
  log.end()
  return seen
}

function frame(stream: number, text: string): Buffer {
  const body = Buffer.from(text)
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(body.length, 4)
  return Buffer.concat([header, body])
}
