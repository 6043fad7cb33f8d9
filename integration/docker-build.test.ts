import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { ImageBuildCall } from '#exec/call.ts'
import { createPerform } from '#exec/perform.ts'
import { createTestContext, type TestContext } from '#exec/test-context.ts'
import { FairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { Secret } from '#lib/secret.ts'

const SOCKET = '/var/run/docker.sock'
/** Makes the names of this run its own, so that runs beside it do not meet, and its steps new to the build cache. */
const RUN = newId()
const BASE = 'FROM scratch\nCOPY busybox /bin/busybox\nCOPY busybox /bin/sh\n'

const root = mkdtempSync(join(tmpdir(), 'fairlead-docker-build-'))
const tags: string[] = []
after(async () => {
  await docker('image', 'rm', '--force', ...tags).catch(() => {})
  rmSync(root, { recursive: true })
})

test('an image is built with arguments, labels and tags, and its log comes live', async () => {
  const context = createTestContext()
  const tag = aTag()
  const call = aBuild(
    `${BASE}ARG WHO\nRUN echo "hello $WHO" | tee /who && echo warning >&2\nCMD ["cat", "/who"]`,
  )
  const imageId = await build(
    { ...call, args: { WHO: RUN }, labels: { 'org.example': 'x' }, tags: [tag] },
    context,
  )
  assert.equal(
    await docker('image', 'inspect', tag, '--format', '{{.Id}} {{index .Config.Labels "org.example"}}'),
    `${imageId} x`,
  )
  assert.equal(await docker('run', '--rm', tag, '/bin/busybox', 'cat', '/who'), `hello ${RUN}`)
  const log = context.said.join('\n')
  assert.match(log, /^info: #\d+ \[1\/3\] COPY busybox/m)
  assert.match(log, new RegExp(`^stdout: #\\d+ hello ${RUN}$`, 'm'))
  assert.match(log, /^stderr: #\d+ warning$/m)
  assert.match(log, /^info: #\d+ done in \d+\.\ds$/m)
  assert.match(log, new RegExp(`^info: #\\d+ naming to docker.io/library/${tag} done$`, 'm'))
})

test('the same content again is the same image, from the cache', async () => {
  const call = { ...aBuild(`${BASE}RUN echo ${RUN} > /run`), tags: [aTag()] }
  const first = await build(call)
  const context = createTestContext()
  assert.equal(await build(call, context), first)
  assert.ok(context.said.some(line => /#\d+ CACHED$/.test(line)))
})

test('C46 R01 a build secret reaches the step and is not in the log, the history or the image', async () => {
  const secret = `canary-${RUN}`
  const context = createTestContext()
  const tag = aTag()
  const steps = `RUN sleep 2 # ${RUN}\nRUN --mount=type=secret,id=tok cat /run/secrets/tok && wc -c < /run/secrets/tok > /size`
  await build({ ...aBuild(`${BASE}${steps}`), secrets: { tok: new Secret(secret) }, tags: [tag] }, context)
  assert.equal(await docker('run', '--rm', tag, '/bin/busybox', 'cat', '/size'), String(secret.length))
  assert.ok(context.said.some(line => line.endsWith('[redacted]')))
  assert.doesNotMatch(context.said.join('\n'), /canary-/)
  assert.doesNotMatch(await docker('history', '--no-trunc', tag), /canary-/)
  const archive = join(root, 'image.tar')
  await docker('save', '--output', archive, tag)
  assert.ok(!readFileSync(archive).includes(secret))
})

test('a failing step is BUILD_FAILED with its last lines', async () => {
  const call = aBuild(`${BASE}RUN for i in $(seq 100); do echo "line $i"; done; exit 3`)
  const error = await failure(build(call))
  assert.equal(error.code, 'BUILD_FAILED')
  assert.match(error.message, /RUN for i in .* exit code: 3$/)
  const lines = error.facts?.log as string[]
  assert.deepEqual([lines.length, lines.at(0), lines.at(-1)], [40, 'line 61', 'line 100'])
})

for (const [what, dockerfile, code] of [
  ['an unknown instruction', 'FROM scratch\nFOO bar', 'DOCKERFILE_INVALID'],
  ['an empty Dockerfile', '', 'DOCKERFILE_INVALID'],
  ['a base image that nobody has', 'FROM 127.0.0.1:1/no/such:1', 'BASE_IMAGE_UNAVAILABLE'],
  ['a file that is not in the context', `${BASE}COPY nope /`, 'BUILD_FAILED'],
] as const) {
  test(`${what} is ${code}`, async () => {
    assert.equal((await failure(build(aBuild(dockerfile)))).code, code)
  })
}

test('a Dockerfile that is not there is DOCKERFILE_MISSING', async () => {
  const error = await failure(build({ ...aBuild(BASE), dockerfile: 'api/Dockerfile' }))
  assert.equal(error.code, 'DOCKERFILE_MISSING')
})

for (const how of ['cancelling', 'the deadline'] as const) {
  test(`${how} ends the build in the engine`, async () => {
    const context = createTestContext()
    const seconds = `3${String(process.hrtime.bigint()).slice(-6)}`
    const call = { ...aBuild(`${BASE}RUN echo started && sleep ${seconds}`), timeoutMs: 60_000 }
    const started = Promise.withResolvers<void>()
    const performing = build(
      { ...call, timeoutMs: how === 'cancelling' ? 60_000 : 8_000 },
      {
        ...context,
        say(line) {
          if (/started$/.test(line) && !/RUN/.test(line)) {
            started.resolve()
          }
        },
      },
    )
    // Whoever fails first ends the wait.
    await Promise.race([started.promise, performing])
    // The word may be here before the program after it has begun.
    await until(() => isRunning(seconds))
    if (how === 'cancelling') {
      context.cancel()
    }
    const error = await failure(performing)
    assert.equal(error.code, how === 'cancelling' ? 'CALL_CANCELLED' : 'CALL_TIMED_OUT')
    await until(() => !isRunning(seconds))
  })
}

test('.dockerignore keeps files out of the context', async () => {
  const call = aBuild(`FROM scratch\nCOPY busybox /bin/busybox\nCOPY . /all`, {
    '.dockerignore': 'secret*\nDockerfile\ndeep/**\n!deep/kept',
    'secret.key': 'x',
    'deep/kept': 'x',
    'deep/dropped': 'x',
    '.git/config': 'x',
    plain: 'x',
  })
  const tag = aTag()
  await build({ ...call, tags: [tag] })
  const files = await docker('run', '--rm', tag, '/bin/busybox', 'find', '/all', '-type', 'f')
  // The Dockerfile has to be in the context to be read.
  assert.deepEqual(files.split('\n').toSorted(), [
    '/all/.dockerignore',
    '/all/Dockerfile',
    '/all/busybox',
    '/all/deep/kept',
    '/all/plain',
  ])
})

test('two builds at once both give their own image', async () => {
  const calls = ['one', 'two'].map(word => ({
    ...aBuild(`${BASE}RUN echo ${word} ${RUN} > /word && sleep 1`),
    tags: [aTag()],
  }))
  const contexts = calls.map(() => createTestContext())
  const ids = await Promise.all(calls.map((call, i) => build(call, contexts[i])))
  assert.equal(new Set(ids).size, 2)
  for (const [i, word] of ['one', 'two'].entries()) {
    assert.equal(
      await docker('run', '--rm', tagOf(calls[i]), '/bin/busybox', 'cat', '/word'),
      `${word} ${RUN}`,
    )
    assert.doesNotMatch(contexts[i]?.said.join('\n') ?? '', new RegExp(`echo ${i === 0 ? 'two' : 'one'}`))
  }
})

test('R01 credentials for the registry of a base image reach that registry and nothing else', async () => {
  const seen = new Set<string | undefined>()
  const server = createServer((request, response) => {
    seen.add(request.headers.authorization)
    response.writeHead(request.headers.authorization ? 404 : 401, {
      'www-authenticate': 'Basic realm="test"',
    })
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const host = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const context = createTestContext()
  const registries = { [host]: { username: 'fox', password: new Secret('canary-pa55') } }
  const error = await failure(build({ ...aBuild(`FROM ${host}/private/image:1`), registries }, context))
  server.closeAllConnections()
  server.close()
  assert.equal(error.code, 'BASE_IMAGE_UNAVAILABLE')
  assert.ok(seen.has(`Basic ${Buffer.from('fox:canary-pa55').toString('base64')}`))
  assert.doesNotMatch(context.said.join('\n') + JSON.stringify(error), /canary|Y2FuYXJ5/)
})

test('a target builds only to its stage', async () => {
  const call = aBuild(`${BASE.replace('scratch', 'scratch AS first')}FROM first\nRUN exit 1`)
  assert.match(await build({ ...call, target: 'first', tags: [aTag()] }), /^sha256:[0-9a-f]{64}$/)
})

type Build = ImageBuildCall<string>

function build(call: Build, context: TestContext = createTestContext()): Promise<string> {
  return createPerform(context)(call)
}

function aBuild(dockerfile: string, files: Readonly<Record<string, string>> = {}): Build {
  const context = mkdtempSync(join(root, 'context-'))
  copyFileSync('/bin/busybox', join(context, 'busybox'))
  for (const [name, content] of Object.entries({ Dockerfile: dockerfile, ...files })) {
    mkdirSync(dirname(join(context, name)), { recursive: true })
    writeFileSync(join(context, name), content)
  }
  return {
    kind: 'image-build',
    socket: SOCKET,
    context,
    dockerfile: 'Dockerfile',
    args: {},
    secrets: {},
    tags: [],
    labels: {},
    registries: {},
    timeoutMs: 60_000,
    read: built => built.imageId,
  }
}

function aTag(): string {
  const tag = `fairlead-build-test:${RUN}-${tags.length}`
  tags.push(tag)
  return tag
}

function tagOf(call: Build | undefined): string {
  return call?.tags[0] ?? ''
}

async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('docker', args, { maxBuffer: 64 * 1024 * 1024 })
  return stdout.trim()
}

/** Whether a `sleep` of so many seconds, or the shell that is about to start it, runs on this host or in a container. */
function isRunning(seconds: string): boolean {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .some(pid => commandLine(pid).includes(`sleep ${seconds}`))
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

async function failure(work: Promise<unknown>): Promise<FairleadError> {
  const error = await work.then(
    () => assert.fail('it did not fail'),
    reason => reason,
  )
  assert.ok(error instanceof FairleadError, String(error))
  return error
}

/** As long as a busy machine may take. */
async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    assert.ok(tries < 600, 'the step should begin, and end with its build')
    await sleep(50)
  }
}
