import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRedactor } from '#lib/redact.ts'
import { createBuildLog } from './build-log.ts'
import { decodeStatus } from './buildkit-progress.ts'

test('a status of BuildKit is decoded, unknown fields are skipped', () => {
  const status = Buffer.concat([
    field(1, [
      ...text(1, 'sha256:a'),
      ...text(2, 'sha256:input'),
      ...text(3, '[1/2] RUN x'),
      ...whole(4, 1),
      ...field(5, [...whole(1, 1_700_000_000), ...whole(2, 500_000_000)]),
      ...field(6, [...whole(1, 1_700_000_001)]),
      ...text(7, 'broke'),
      ...field(99, [1, 2]),
      ((98 << 3) & 127) | 0x80 | 5,
      98 >> 4,
      ...[1, 2, 3, 4],
    ]),
    field(2, [...text(1, 'layer'), ...text(2, 'sha256:a'), ...field(8, whole(1, 5))]),
    field(3, [...text(1, 'sha256:a'), ...whole(3, 2), ...text(4, 'line\n')]),
    field(4, [...text(1, 'a warning')]),
  ])
  const { vertexes, tasks, logs } = decodeStatus(status)
  assert.deepEqual(vertexes, [
    {
      digest: 'sha256:a',
      name: '[1/2] RUN x',
      cached: true,
      started: 1_700_000_000_500,
      completed: 1_700_000_001_000,
      error: 'broke',
    },
  ])
  assert.deepEqual(tasks, [{ id: 'layer', vertex: 'sha256:a', completed: 5000 }])
  assert.deepEqual(logs, [{ vertex: 'sha256:a', stream: 'stderr', bytes: Buffer.from('line\n') }])
})

test('a status that ends too early is an error, not a loop', () => {
  assert.throws(() => decodeStatus(Buffer.from([0x0a, 0x7f, 1])), RangeError)
  assert.throws(() => decodeStatus(Buffer.from([0x0a, 0xff])), RangeError)
  assert.throws(() => decodeStatus(Buffer.from([0x0b])), RangeError)
})

test('steps, their lines and their end are told as docker build prints them', () => {
  const { said, log } = aLog()
  log.take(vertex('a', 'load context', { started: 1 }))
  log.take(vertex('a', 'load context', { started: 1, completed: 3 }))
  log.take(vertex('b', 'COPY x', { started: 3, completed: 3, cached: true }))
  log.take(vertex('c', 'waits', {}))
  // A step that begins, prints and ends within one message.
  log.take(
    Buffer.concat([
      vertex('c', 'waits', { started: 4, completed: 5 }),
      logged('c', 'out\nlast'),
      logged('c', 'err\n', 2),
    ]),
  )
  log.take(Buffer.concat([vertex('d', 'export', { started: 5 }), task('d', 'layers'), task('d', 'layers')]))
  assert.deepEqual(said, [
    'info: #1 load context',
    'info: #1 done in 2.0s',
    'info: #2 COPY x',
    'info: #2 CACHED',
    'info: #3 waits',
    'stdout: #3 out',
    'stderr: #3 err',
    'stdout: #3 last',
    'info: #3 done in 1.0s',
    'info: #4 export',
    'info: #4 layers done',
  ])
})

test('the failed step keeps its last 40 lines, a cancelled neighbour is not the cause', () => {
  const { log } = aLog()
  log.take(Buffer.concat([vertex('b', 'RUN other', { started: 1 }), vertex('a', 'RUN make', { started: 1 })]))
  log.take(
    Buffer.concat([
      logged('b', 'other\n'),
      ...Array.from({ length: 100 }, (_, i) => logged('a', `line ${i}\n`)),
    ]),
  )
  log.take(vertex('a', 'RUN make', { started: 1, completed: 2, error: 'exit code: 1' }))
  log.take(vertex('b', 'RUN other', { started: 1, completed: 2, error: 'context canceled' }))
  const { step, lines } = log.failure()
  assert.equal(step, 'RUN make')
  assert.deepEqual([lines.length, lines[0], lines.at(-1)], [40, 'line 60', 'line 99'])
})

test('C46 R01 a secret in a step, its output or its error is redacted, also when it is split', () => {
  const { said, log } = aLog(['canary-secret'])
  log.take(vertex('a', 'RUN echo canary-secret', { started: 1 }))
  log.take(logged('a', 'x canary-'))
  log.take(logged('a', 'secret\n'))
  log.take(vertex('a', 'RUN echo canary-secret', { started: 1, completed: 2, error: 'no canary-secret' }))
  assert.deepEqual(said, [
    'info: #1 RUN echo [redacted]',
    'stdout: #1 x [redacted]',
    'info: #1 ERROR no [redacted]',
  ])
  assert.deepEqual(log.failure(), { step: 'RUN echo [redacted]', lines: ['x [redacted]'] })
})

test('what a step printed without a line end is told at the end', () => {
  const { said, log } = aLog()
  log.take(Buffer.concat([vertex('a', 'RUN x', { started: 1 }), logged('a', 'half')]))
  log.end()
  assert.deepEqual(said, ['info: #1 RUN x', 'stdout: #1 half'])
})

interface Times {
  readonly started?: number
  readonly completed?: number
  readonly cached?: boolean
  readonly error?: string
}

function aLog(secrets: readonly string[] = []) {
  const said: string[] = []
  return {
    said,
    log: createBuildLog(createRedactor(secrets), (line, stream) => said.push(`${stream}: ${line}`)),
  }
}

function vertex(digest: string, name: string, { started, completed, cached, error }: Times): Buffer {
  return field(1, [
    ...text(1, digest),
    ...text(3, name),
    ...(cached ? whole(4, 1) : []),
    ...(started === undefined ? [] : field(5, whole(1, started))),
    ...(completed === undefined ? [] : field(6, whole(1, completed))),
    ...(error === undefined ? [] : text(7, error)),
  ])
}

function logged(digest: string, content: string, stream = 1): Buffer {
  return field(3, [...text(1, digest), ...whole(3, stream), ...text(4, content)])
}

function task(digest: string, id: string): Buffer {
  return field(2, [...text(1, id), ...text(2, digest), ...field(8, whole(1, 1))])
}

function text(number: number, value: string): Buffer {
  return field(number, Buffer.from(value))
}

function field(number: number, content: Iterable<number>): Buffer {
  const bytes = Buffer.from([...content])
  return Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length), ...bytes])
}

function whole(number: number, value: number): Buffer {
  return Buffer.from([...varint(number * 8), ...varint(value)])
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}
