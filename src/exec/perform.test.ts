import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Secret } from '#lib/secret.ts'
import { SEARCH_PATH } from './call.ts'
import { createPerform } from './perform.ts'
import { createTestContext } from './test-context.ts'

const root = mkdtempSync(join(tmpdir(), 'fairlead-perform-test-'))
after(() => rmSync(root, { recursive: true }))

test('each kind of call reaches what performs it', async () => {
  const perform = createPerform(createTestContext({ workspace: root, searchPath: aProgram('echo ran') }))
  const common = { timeoutMs: 5_000 }
  assert.equal(
    await perform({
      ...common,
      kind: 'program',
      program: 'git',
      args: [],
      env: {},
      read: ({ stdout }) => stdout,
    }),
    'ran\n',
  )
  await perform({
    kind: 'file',
    operation: 'write',
    path: join(root, 'a'),
    content: 'b',
    read: () => undefined,
  })
  assert.equal(
    await perform({
      kind: 'file',
      operation: 'read',
      path: join(root, 'a'),
      maxBytes: 9,
      read: ({ text }) => text,
    }),
    'b',
  )
  const docker = { kind: 'docker', socket: join(root, 'no.sock') } as const
  await assert.rejects(
    perform({
      ...common,
      kind: 'request',
      engine: docker,
      method: 'GET',
      path: '/',
      ok: 'any',
      read: () => 0,
    }),
    { code: 'ENGINE_UNREACHABLE' },
  )
  await assert.rejects(
    perform({
      ...common,
      kind: 'image-build',
      socket: docker.socket,
      context: join(root, 'no'),
      dockerfile: 'Dockerfile',
      args: {},
      secrets: {},
      tags: [],
      labels: {},
      registries: {},
      read: () => 0,
    }),
    { code: 'FOLDER_MISSING' },
  )
})

test('R01 every secret of a call is redacted in what the program prints', async () => {
  const context = createTestContext({ searchPath: aProgram('echo "$1 $KEY"; cat; cat "$2" >&2; exit 1') })
  const error = await createPerform(context)({
    kind: 'program',
    program: 'git',
    args: [new Secret('canary-argument'), '{file:key}'],
    env: { PATH: SEARCH_PATH, KEY: new Secret('canary-variable') },
    input: new Secret('canary-input\n'),
    files: [{ name: 'key', content: new Secret('canary-file\n') }],
    timeoutMs: 5_000,
    show: 'both',
    read: () => undefined,
  }).catch(each => each)
  assert.deepEqual(context.said.toSorted(), [
    'stderr: [redacted]',
    'stdout: [redacted]',
    'stdout: [redacted] [redacted]',
  ])
  assert.equal(error.code, 'PROGRAM_FAILED')
  assert.doesNotMatch(JSON.stringify(error) + error.message, /canary/)
})

function aProgram(script: string): string {
  const folder = mkdtempSync(join(root, 'bin-'))
  writeFileSync(join(folder, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return folder
}
