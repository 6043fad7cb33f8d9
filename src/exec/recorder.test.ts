import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '#lib/secret.ts'
import type { Call, EngineAnswer, EngineRequest, ProgramCall, ProgramOutput } from './call.ts'
import { createRecorder } from './recorder.ts'

const docker = { kind: 'docker', socket: '/run/docker.sock' } as const

test('calls are written down in a readable form without secrets', async () => {
  const { perform, shown } = createRecorder([['', { missing: false }]])
  await perform(git('fetch', '--depth', '1', 'a b', new Secret('x')))
  await perform(
    anything({ ...request('POST', '/containers/create'), query: { name: 'a b', none: undefined } }),
  )
  await perform(
    anything({ ...request('GET', '/v2/'), engine: { kind: 'http', origin: 'https://127.0.0.1:5000' } }),
  )
  await perform(anything({ kind: 'file', operation: 'rename', path: '/a', to: '/b', read: () => 0 }))
  await perform(anything({ kind: 'lookup', host: 'example.org', timeoutMs: 1, read: () => 0 }))
  assert.deepEqual(shown, [
    'git fetch --depth 1 "a b" [secret]',
    'POST docker /containers/create?name=a+b',
    'GET https://127.0.0.1:5000/v2/',
    'rename /a -> /b',
    'lookup example.org',
  ])
})

test('answers come from the first entry that fits: a beginning or a question', async () => {
  const { perform } = createRecorder([
    ['git fetch --depth', { stdout: 'shallow' }],
    ['git fetch', { stdout: 'full' }],
    [call => call.kind === 'request', { status: 201, json: { Id: 'x' } }],
  ])
  assert.equal((await perform(git('fetch', '--depth', '1'))).stdout, 'shallow')
  assert.equal((await perform(git('fetch', 'origin'))).stdout, 'full')
  const created = { ...request('POST', '/x'), ok: [201], read: (answer: EngineAnswer) => answer.json }
  assert.deepEqual(await perform(created), { Id: 'x' })
})

test('a list answers one after the other and stays at its last, a function answers each', async () => {
  const { perform } = createRecorder([
    ['git a', [{ stdout: '1' }, { stdout: '2' }]],
    ['git b', call => ({ stdout: String((call as ProgramCall<unknown>).args.length) })],
  ])
  const outputs = []
  for (const args of [['a'], ['a'], ['a'], ['b', 'c']]) {
    outputs.push((await perform(git(...args))).stdout)
  }
  assert.deepEqual(outputs, ['1', '2', '2', '2'])
})

test('a call without an answer is an error that names it', async () => {
  const { perform } = createRecorder([['git fetch', {}]])
  await assert.rejects(perform(git('push', 'origin')), /no answer to: git push origin/)
})

test('failures are those of the real thing', async () => {
  const { perform } = createRecorder([
    ['git', { exitCode: 128, stderr: 'fatal: no\n' }],
    ['GET docker', { status: 404, json: { message: 'No such container' } }],
    ['PUT docker', { error: new RangeError('mine') }],
  ])
  await assert.rejects(perform(git('fetch')), {
    code: 'PROGRAM_FAILED',
    message: /exit code 128: fatal: no$/,
  })
  await assert.rejects(perform(request('GET', '/x')), {
    code: 'ENGINE_REFUSED',
    message: /404: No such container/,
  })
  await assert.rejects(perform(request('PUT', '/x')), RangeError)
})

test('events of an answer reach the stream of the request', async () => {
  const seen: unknown[] = []
  const { perform } = createRecorder([['GET', { events: [{ kind: 'json', value: 1 }] }]])
  await perform({
    ...request('GET', '/x'),
    stream: { format: 'json-lines', onEvent: event => seen.push(event) },
  })
  assert.deepEqual(seen, [{ kind: 'json', value: 1 }])
})

function git(...args: (string | Secret)[]): ProgramCall<ProgramOutput> {
  return { kind: 'program', program: 'git', args, env: {}, timeoutMs: 1, read: output => output }
}

function request(method: EngineRequest<unknown>['method'], path: string): EngineRequest<unknown> {
  return { kind: 'request', engine: docker, method, path, timeoutMs: 1, ok: [200], read: () => undefined }
}

function anything(call: Call<unknown>): Call<unknown> {
  return call
}
