import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { FileCall, Perform, ProgramCall } from '#exec/call.ts'
import { performFile } from '#exec/files.ts'
import type { Answers } from '#exec/recorder.ts'
import { check } from '#lib/check.ts'
import type { Hands } from './command.ts'
import { testHands } from './recorded-hands.test.ts'
import { stackCompose } from './stack-compose.ts'
import { stackFind } from './stack-find.ts'
import { stackSecrets } from './stack-secrets.ts'

const ROOT = '/srv/stacks'
const FOLDER = { missing: false, kind: 'folder' } as const
const GONE = { missing: true } as const

function handsOn(answers: Answers, stacksRoot: string | undefined = ROOT) {
  const hands = testHands(answers)
  return { hands: { ...hands, host: { ...hands.host, stacksRoot } } as Hands, recorder: hands.recorder }
}

for (const [step, words] of [
  ['status', 'ps --status=running --services'],
  ['config', 'config'],
  ['pull', 'pull'],
  ['up', 'up -d --remove-orphans'],
] as const) {
  test(`R101 R109 the step ${step} is "docker compose ${words}" in the folder, in an environment of its own`, async () => {
    const { hands, recorder } = handsOn([
      [`stat ${ROOT}/media/.docker`, GONE],
      [`stat ${ROOT}/media`, FOLDER],
      ['docker compose', { exitCode: 0, stdout: 'web\ndb\n' }],
      ['GET docker /containers/json', { status: 200, json: [] }],
    ])
    const result = await stackCompose.run(hands, { stack: 'media', step })
    assert.equal(result.exitCode, 0)
    assert.deepEqual(result.services, step === 'status' ? ['web', 'db'] : [])
    const call = recorder.calls.find(each => each.kind === 'program') as ProgramCall<unknown>
    assert.deepEqual(call.args, ['compose', ...words.split(' ')])
    assert.equal(call.cwd, `${ROOT}/media`)
    assert.deepEqual(Object.keys(call.env).sort(), ['DOCKER_HOST', 'HOME', 'PATH'])
    assert.equal(call.show, step === 'config' ? 'stderr' : 'both')
  })
}

test('R113 a stack with a .docker/config.json of its own is deployed with it', async () => {
  const { hands, recorder } = handsOn([
    [`stat ${ROOT}/media/.docker`, { missing: false, kind: 'file' }],
    [`stat ${ROOT}/media`, FOLDER],
    ['docker compose', { exitCode: 0 }],
  ])
  await stackCompose.run(hands, { stack: 'media', step: 'pull' })
  const call = recorder.calls.find(each => each.kind === 'program') as ProgramCall<unknown>
  assert.equal(call.env.DOCKER_CONFIG, `${ROOT}/media/.docker`)
})

test('a command that fails is an answer with its exit code, not an error of the worker', async () => {
  const { hands } = handsOn([
    [`stat ${ROOT}/media/.docker`, GONE],
    [`stat ${ROOT}/media`, FOLDER],
    ['docker compose', { exitCode: 18 }],
  ])
  const result = await stackCompose.run(hands, { stack: 'media', step: 'pull' })
  assert.deepEqual(result, { exitCode: 18, services: [], containers: [] })
})

test('A04 a stack is a real folder below the root: a link is none, and nor is anything without a root', async () => {
  for (const found of [GONE, { missing: false, kind: 'link' }, { missing: false, kind: 'file' }] as const) {
    const { hands } = handsOn([[`stat ${ROOT}/media`, found]])
    assert.deepEqual(await stackFind.run(hands, { stack: 'media' }), { found: false })
    await assert.rejects(stackCompose.run(hands, { stack: 'media', step: 'up' }), /no stack "media"/)
  }
  const { hands } = handsOn([], undefined)
  assert.deepEqual(
    await stackFind.run({ ...hands, host: { ...hands.host, stacksRoot: undefined } }, { stack: 'media' }),
    {
      found: false,
    },
  )
})

test('A04 A05 a worker takes no other name of a stack than one that Compose takes for a project', () => {
  for (const stack of [
    '../x',
    '.',
    '-rf',
    'a/b',
    'a\0b',
    'a\nb',
    'é',
    'mеdia',
    'toString',
    '__proto__',
    '',
    'a'.repeat(64),
  ]) {
    assert.throws(() => check(stackFind.data, { stack }, 'The data'), JSON.stringify(stack))
  }
  for (const stack of ['constructor', 'nul', 'con', 'my_stack-1', 'a'.repeat(63)]) {
    check(stackFind.data, { stack }, 'The data')
  }
})

const auth = Buffer.from('ada:registry-password').toString('base64')
const STACK = {
  '.env': '# a comment\nPLAIN=one-secret\nexport QUOTED="two secrets" # why\nBARE=three-secrets # why\n',
  '.env.production': 'STAGED=four-secrets\n',
  'compose.yaml': `services:
  web: { image: x, env_file: [web/web.conf, { path: ./more.conf, required: false }], secrets: [key] }
  db: { image: x, env_file: ../common.conf }
secrets: { key: { file: ./keys/key.pem } }
`,
  'web/web.conf': 'A=five-secrets\n',
  'more.conf': 'B=six-secrets\n',
  '../common.conf': 'C=seven-secrets\n',
  'keys/key.pem': '-----BEGIN-----\neight-secrets\n-----END-----\n',
  'secrets/password': 'nine-secrets\n',
  'secrets/db/password': 'ten-secrets\n',
  'notes.txt': 'no-secret-at-all',
  '.docker/config.json': JSON.stringify({ auths: { 'r.example': { auth } } }),
}

test('R119 what the .env, the other environment files, the secrets and the registry accounts of a stack hold is kept out of everything that is told', async t => {
  const { hands, folder } = await realStack(t)
  for (const [name, text] of Object.entries(STACK)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  const hidden = await stackSecrets(hands, 'media')
  for (const number of ['one', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']) {
    const secret = `${number}-secret${number === 'one' ? '' : 's'}`
    assert.ok(hidden.includes(secret), `${secret} in ${hidden}`)
  }
  for (const secret of ['two secrets', 'registry-password', auth]) {
    assert.ok(hidden.includes(secret), `${secret} in ${hidden}`)
  }
  assert.ok(!hidden.some(text => /a comment|no-secret-at-all/.test(text)))
})

test('values with a million spaces in them, which would keep a pattern busy for hours, are found at once', async t => {
  const { hands, folder } = await realStack(t)
  const gap = ' '.repeat(500_000)
  const env = [`A=one-secret${gap}#why`, `B=two${gap}secrets`, `${'\t'.repeat(9000)}`]
  await writeFile(join(folder, '.env'), env.join('\n'))
  const hidden = await stackSecrets(hands, 'media')
  assert.ok(hidden.includes('one-secret') && hidden.includes(`two${gap}secrets`), String(hidden.length))
})

for (const link of ['.env', '.env.production', 'secrets/key', '.docker/config.json', '.docker']) {
  test(`a stack whose ${link} is a symbolic link is refused before Compose reads what would not be redacted`, async t => {
    const { hands, folder } = await realStack(t)
    assert.deepEqual(await stackSecrets(hands, 'media'), [])
    const target = join(folder, 'elsewhere')
    await mkdir(target)
    await writeFile(join(target, 'config.json'), '{}')
    await mkdir(dirname(join(folder, link)), { recursive: true })
    await symlink(link === '.docker' ? target : join(target, 'config.json'), join(folder, link))
    await assert.rejects(stackSecrets(hands, 'media'), { code: 'STACK_FILE_UNREADABLE' })
  })
}

/** A stack without anything in it. */
async function realStack(t: TestContext): Promise<{ hands: Hands; folder: string }> {
  const stacksRoot = await mkdtemp(join(tmpdir(), 'fairlead-stacks-'))
  t.after(() => rm(stacksRoot, { recursive: true, force: true }))
  const perform: Perform = call => performFile(call as unknown as FileCall<never>, { workspace: stacksRoot })
  const folder = join(stacksRoot, 'media')
  await mkdir(folder)
  return { hands: { ...handsOn([], stacksRoot).hands, perform }, folder }
}
