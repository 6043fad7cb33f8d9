import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { FairleadError } from '#lib/errors.ts'
import { createRedactor } from '#lib/redact.ts'
import { Secret } from '#lib/secret.ts'
import { type ProgramCall, type ProgramOutput, SEARCH_PATH } from './call.ts'
import { run } from './run.ts'
import { createTestContext } from './test-context.ts'

const root = mkdtempSync(join(tmpdir(), 'fairlead-run-test-'))
after(() => rmSync(root, { recursive: true }))

test('a program runs with exactly the given arguments and environment and no shell', async () => {
  const { call, context } = aScript('printf "%s|" "$@"; env | sort')
  const output = await run(
    { ...call, args: ['a b', '$(id)', '; ls'], env: { PATH: SEARCH_PATH, A: '1' } },
    context,
  )
  const [args, ...env] = output.stdout.split('\n')
  assert.equal(args, 'a b|$(id)|; ls|A=1')
  // The shell that runs this script sets these two for itself.
  assert.deepEqual(
    env.filter(line => line && !/^(PWD|_)=/.test(line)),
    [`PATH=${SEARCH_PATH}`],
  )
})

test('input goes to standard input; without input it is empty', async () => {
  const { call, context } = aScript('cat')
  assert.equal((await run({ ...call, input: new Secret('hello') }, context)).stdout, 'hello')
  assert.equal((await run(call, context)).stdout, '')
})

test('a program that reads no input ends well with a large one', async () => {
  const { call, context } = aScript('exit 0')
  assert.equal((await run({ ...call, input: 'x'.repeat(1_000_000) }, context)).exitCode, 0)
})

test('temporary files are private, have their path in arguments and environment, and are gone afterwards', async () => {
  const { call, context } = aScript('stat -c "%a" "$1" "$2" "$(dirname "$1")"; cat "$1"; "$ASK"; echo "$1"')
  const output = await run(
    {
      ...call,
      args: ['{file:key}', '{file:ask}', '{file:unknown}'],
      env: { PATH: SEARCH_PATH, ASK: '{file:ask}' },
      files: [
        { name: 'key', content: new Secret('the key\n') },
        { name: 'ask', content: '#!/bin/sh\necho "asked $0"\n', executable: true },
      ],
    },
    { ...context, temporary: root },
  )
  const [key, ask, folder, content, asked, path = ''] = output.stdout.split('\n')
  assert.deepEqual([key, ask, folder, content], ['600', '700', '700', 'the key'])
  assert.match(asked ?? '', /^asked .*\/ask$/)
  assert.ok(path.startsWith(root))
  assert.deepEqual(leftovers(), [])
})

test('temporary files are gone after a failure and after a start that failed', async () => {
  const failing = aScript('exit 3')
  const files = [{ name: 'key', content: 'x' }]
  const context = { ...failing.context, temporary: root }
  await assert.rejects(run({ ...failing.call, files }, context))
  await assert.rejects(run({ ...failing.call, files, cwd: '/no/such/folder' }, context))
  assert.deepEqual(leftovers(), [])
})

test('a failed program keeps all facts and no secret', async () => {
  const { call, context } = aScript('echo "fatal: no $1 here" >&2; echo "bye" >&2; exit 3')
  const error = await failure(
    run(
      { ...call, args: [new Secret('hunter-two'), 'hunter-two'] },
      { ...context, redactor: createRedactor(['hunter-two']) },
    ),
  )
  assert.equal(error.code, 'PROGRAM_FAILED')
  assert.equal(error.message, 'git [secret] [redacted] ended with exit code 3: fatal: no [redacted] here')
  const { durationMs, ...facts } = error.facts ?? {}
  assert.equal(typeof durationMs, 'number')
  assert.deepEqual(facts, {
    program: 'git',
    args: ['[secret]', '[redacted]'],
    exitCode: 3,
    signal: null,
    timedOut: false,
    cancelled: false,
    stderr: 'fatal: no [redacted] here\nbye\n',
  })
})

test('an exit code that the call accepts is a result', async () => {
  const { call, context } = aScript('exit 1')
  assert.equal((await run({ ...call, okCodes: [0, 1] }, context)).exitCode, 1)
})

test('a program that a signal ended failed', async () => {
  const { call, context } = aScript('kill -9 $$')
  assert.match((await failure(run(call, context))).message, /ended with signal SIGKILL/)
})

test('a missing program is named with the package that brings it', async () => {
  const { call, context } = aScript('exit 0')
  const error = await failure(run({ ...call, program: 'docker' }, context))
  assert.equal(error.code, 'PROGRAM_MISSING')
  assert.match(error.hint, /apt-get install docker\.io/)
})

test('a missing folder is not reported as a missing program', async () => {
  const { call, context } = aScript('exit 0')
  assert.equal((await failure(run({ ...call, cwd: join(root, 'no') }, context))).code, 'FOLDER_MISSING')
})

test('more output than the limit ends the program and is an error', async () => {
  const { call, context } = aScript('exec yes')
  const error = await failure(run({ ...call, maxOutputBytes: 100_000 }, context))
  assert.equal(error.code, 'OUTPUT_TOO_LARGE')
  assert.match(error.message, /100000 bytes/)
})

test('a file may not grow beyond the limit of the call', async () => {
  const { call, context } = aScript('exec head -c 100000 /dev/zero > "$1"')
  const file = join(root, 'grows')
  assert.equal(
    (await failure(run({ ...call, args: [file], maxFileBytes: 4096 }, context))).code,
    'PROGRAM_FAILED',
  )
  assert.equal(readFileSync(file).length, 4096)
})

test('G20 after the deadline the whole process group is gone, children of children too', async () => {
  const { call, context } = aScript('sh -c "sleep 300 & echo \\$!; wait" & echo $!; wait')
  const error = await failure(run({ ...call, show: 'stdout', timeoutMs: 300 }, context))
  assert.equal(error.code, 'CALL_TIMED_OUT')
  assert.equal(error.facts?.timedOut, true)
  await assertGone(context.said, 2)
})

test('G20 a program that ignores SIGTERM is killed after the grace time', async () => {
  const { call, context } = aScript('trap "" TERM; echo $$; while :; do sleep 300; done')
  const error = await failure(run({ ...call, show: 'stdout', timeoutMs: 2000 }, context))
  assert.equal(error.facts?.signal, 'SIGKILL')
  await assertGone(context.said, 1)
})

test('cancelling ends the program and says so', async () => {
  const { call, context } = aScript('echo $$; sleep 300')
  const running = run(
    { ...call, show: 'stdout' },
    {
      ...context,
      say(line, stream) {
        context.say(line, stream)
        context.cancel()
      },
    },
  )
  const error = await failure(running)
  assert.equal(error.code, 'CALL_CANCELLED')
  assert.equal(error.facts?.cancelled, true)
  await assertGone(context.said, 1)
})

test('a call that is cancelled already starts nothing', async () => {
  const { call, context } = aScript('echo started')
  context.cancel()
  assert.equal((await failure(run({ ...call, show: 'stdout' }, context))).code, 'CALL_CANCELLED')
  assert.deepEqual(context.said, [])
})

test('a helper that a program leaves behind is ended with it', async () => {
  const { call, context } = aScript('sleep 300 >/dev/null 2>&1 & echo $!')
  assert.equal((await run({ ...call, show: 'stdout' }, context)).exitCode, 0)
  await assertGone(context.said, 1)
})

test('a process that left the group and holds the pipe does not hold the call', async () => {
  const { call, context } = aScript('setsid sleep 20 & echo $!; exit 0')
  const output = await run(call, context)
  process.kill(-Number(output.stdout), 'SIGKILL')
  assert.equal(output.exitCode, 0)
})

interface Script {
  readonly call: ProgramCall<ProgramOutput>
  readonly context: ReturnType<typeof createTestContext>
}

/** A call of a program `git` that is this script. */
function aScript(script: string): Script {
  const folder = mkdtempSync(join(root, 'bin-'))
  writeFileSync(join(folder, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return {
    call: {
      kind: 'program',
      program: 'git',
      args: [],
      env: { PATH: SEARCH_PATH },
      timeoutMs: 20_000,
      read: output => output,
    },
    context: createTestContext({ searchPath: folder }),
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

function leftovers(): string[] {
  return readdirSync(root).filter(name => name.startsWith('fairlead-call-'))
}

/** The said pids run no more; one that died last may need a moment to leave the table. */
async function assertGone(said: readonly string[], count: number): Promise<void> {
  const pids = said.map(line => Number(line.replace('stdout: ', '')))
  assert.equal(pids.length, count)
  for (const pid of pids) {
    for (let tries = 0; isRunning(pid); tries++) {
      assert.ok(tries < 20, `${pid} still runs`)
      await sleep(5)
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}
