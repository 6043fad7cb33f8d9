import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import type { FairleadError } from '#lib/errors.ts'
import { type ProgramCall, type ProgramOutput, SEARCH_PATH } from './call.ts'
import { removeLeftovers } from './leftovers.ts'
import { bootId, canTakeUp, isAlive, type OutlivingProgram } from './outliving.ts'
import { groupAlive } from './process-group.ts'
import { run } from './run.ts'
import { takeUp } from './run-outliving.ts'
import { createTestContext } from './test-context.ts'

const root = mkdtempSync(join(tmpdir(), 'fairlead-outliving-test-'))
after(() => rmSync(root, { recursive: true }))

test('an outliving program gets its arguments and environment, and its output and exit code come back', async () => {
  const { call, context, folder } = aScript('printf "%s|" "$@" >&2; env | grep -v "^PWD=\\|^_="; exit 1')
  const args = ['a b', '$(id)', '; ls']
  const output = await run({ ...call, args, okCodes: [1] }, context)
  assert.deepEqual(output, { exitCode: 1, stdout: `PATH=${SEARCH_PATH}\n`, stderr: 'a b|$(id)|; ls|' })
  assert.deepEqual(readdirSync(folder), [])
})

test('what an outliving program prints is shown while it runs, zeros and all', async () => {
  const { call, context, folder } = aScript(
    `echo begun; while [ ! -e "$1" ]; do sleep 0.02; done; printf 'a\\0b\\n'`,
  )
  const gate = join(folder, 'gate')
  const say = (line: string) => {
    context.said.push(line)
    writeFileSync(gate, '')
  }
  const { stdout } = await run({ ...call, args: [gate], show: 'stdout' }, { ...context, say })
  assert.deepEqual(context.said, ['begun', 'a␀b'])
  assert.equal(stdout, 'begun\na\0b\n')
})

test('a signal that ends an outliving program is told from an exit code', async () => {
  const { call, context } = aScript('kill -9 $$')
  assert.match((await failure(run(call, context))).message, /ended with signal SIGKILL/)
})

test('G20 an outliving program and all that it started is gone after its deadline', async () => {
  const { call, context, folder, notes } = aScript('sleep 300 & trap "" TERM; while :; do sleep 0.1; done')
  const error = await failure(run({ ...call, timeoutMs: 300 }, context))
  assert.equal(error.code, 'CALL_TIMED_OUT')
  assert.ok(!groupAlive(notes[0]?.pid ?? 0))
  assert.deepEqual(readdirSync(folder), [])
})

test('P10 an outliving program that prints without end is ended, and its files stay small', async () => {
  const { call, context } = aScript('trap "" TERM XFSZ; exec yes >&2')
  const error = await failure(run(call, context))
  assert.equal(error.code, 'OUTPUT_TOO_LARGE')
})

test('P10 without a worker an outliving program can fill no disk', async () => {
  const { program } = await leftBehind('exec yes >&2')
  await ended(program)
  assert.ok(readFileSync(join(program.outputs, 'stderr')).length <= 16 * 1024 * 1024)
  const again = createTestContext()
  assert.equal((await takeUp(program, again))?.overLimit, 8 * 1024 * 1024)
  assert.ok(!existsSync(program.outputs))
})

test('G20 the program of a killed worker is the same process afterwards, and nothing that it prints is lost', async () => {
  const { program, gate, folder } = await leftBehind(
    'echo one; while [ ! -e "$1" ]; do sleep 0.02; done; echo two; exit 3',
  )
  assert.ok(canTakeUp(program) && isAlive(program))
  await removeLeftovers({ folder, clock: systemClock, graceMs: 300, kept: [program] })
  assert.ok(isAlive(program) && existsSync(join(program.files ?? '', 'key')))
  const context = createTestContext({ temporary: folder })
  const taken = takeUp(program, context)
  writeFileSync(gate, '')
  const output = await taken
  assert.deepEqual([output?.exitCode, output?.stdout], [3, 'one\ntwo\n'])
  assert.deepEqual(context.said, ['stdout: one', 'stdout: two'])
  assert.deepEqual(readdirSync(folder), [])
})

test('a program that ended without a worker is taken from its files, and its secrets are gone already', async () => {
  const { program, gate, folder } = await leftBehind('while [ ! -e "$1" ]; do sleep 0.02; done; echo done')
  await removeLeftovers({ folder, clock: systemClock, graceMs: 300, kept: [program] })
  writeFileSync(gate, '')
  await ended(program)
  assert.ok(!existsSync(program.files ?? '/'))
  assert.ok(canTakeUp(program))
  const output = await takeUp(program, createTestContext({ temporary: folder }))
  assert.deepEqual([output?.exitCode, output?.stdout], [0, 'done\n'])
  assert.deepEqual(readdirSync(folder), [])
})

test('G20 cancelling ends a program that was taken up like one of the own', async () => {
  const { program, folder } = await leftBehind('trap "" TERM; sleep 300 & while :; do sleep 0.1; done')
  const context = createTestContext({ temporary: folder })
  const taken = takeUp(program, context)
  context.cancel()
  await taken
  assert.ok(!groupAlive(program.pid))
  assert.deepEqual(readdirSync(folder), [])
})

test('a program whose output is gone is ended, because nobody could say what it did', async () => {
  const { program, folder } = await leftBehind('sleep 300')
  rmSync(program.outputs, { recursive: true })
  await assert.rejects(takeUp(program, createTestContext({ temporary: folder })))
  assert.ok(!groupAlive(program.pid))
  assert.deepEqual(readdirSync(folder), [])
})

test('a process that has the number of a program, and one of an earlier boot, is nobody to take up', async () => {
  const other = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' })
  await once(other, 'spawn')
  const outputs = mkdtempSync(join(root, 'printed-'))
  const program = {
    what: 'x',
    program: 'git',
    pid: other.pid ?? 0,
    started: 1,
    boot: bootId(),
    outputs,
  } as const
  assert.ok(!canTakeUp(program))
  const context = createTestContext()
  context.cancel()
  for (const name of ['stdout', 'stderr']) {
    writeFileSync(join(outputs, name), '')
  }
  assert.equal(await takeUp(program, context), undefined)
  assert.ok(groupAlive(other.pid ?? 0), 'it is sent no signal')
  other.kill('SIGKILL')
  const { program: real } = await leftBehind('sleep 300')
  assert.ok(!canTakeUp({ ...real, boot: 'another' }))
  process.kill(-real.pid, 'SIGKILL')
})

/** A call of an outliving program `git` that is this script. */
function aScript(script: string) {
  const folder = mkdtempSync(join(root, 'worker-'))
  const notes: OutlivingProgram[] = []
  const call: ProgramCall<ProgramOutput> = {
    kind: 'program',
    program: 'git',
    args: [],
    env: { PATH: SEARCH_PATH },
    timeoutMs: 20_000,
    outlives: 'this script',
    read: output => output,
  }
  const context = createTestContext({
    searchPath: programFolder(script),
    temporary: folder,
    outliving: { note: program => notes.push(program), take: () => undefined },
  })
  return { call, context, folder, notes }
}

function programFolder(script: string): string {
  const folder = mkdtempSync(join(root, 'bin-'))
  writeFileSync(join(folder, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return folder
}

/** What a worker leaves that is killed while it runs this script, which gets a path as argument. */
async function leftBehind(script: string) {
  const folder = mkdtempSync(join(root, 'worker-'))
  const gate = join(root, `gate-${folder.slice(-6)}`)
  const worker = spawn(
    process.execPath,
    ['--input-type=module', '--eval', workerScript(folder, script, gate)],
    {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const [noted] = await once(worker.stdout, 'data')
  worker.kill('SIGKILL')
  await once(worker, 'exit')
  return { folder, gate, program: JSON.parse(String(noted)) as OutlivingProgram }
}

function workerScript(folder: string, script: string, gate: string): string {
  const call = {
    kind: 'program',
    program: 'git',
    args: [gate],
    env: { PATH: SEARCH_PATH },
    files: [{ name: 'key', content: 'secret' }],
    timeoutMs: 60_000,
    show: 'stdout',
    outlives: 'x',
  }
  return `
    import { run } from ${JSON.stringify(join(import.meta.dirname, 'run.ts'))}
    import { createTestContext } from ${JSON.stringify(join(import.meta.dirname, 'test-context.ts'))}
    const context = createTestContext({
      temporary: ${JSON.stringify(folder)},
      searchPath: ${JSON.stringify(programFolder(script))},
      outliving: { note: program => process.stdout.write(JSON.stringify(program)), take: () => undefined },
    })
    await run({ ...${JSON.stringify(call)}, read: () => 0 }, context)
  `
}

async function ended(program: OutlivingProgram): Promise<void> {
  while (isAlive(program)) {
    await systemClock.sleep(20)
  }
}

async function failure(work: Promise<unknown>): Promise<FairleadError> {
  return await work.then(
    () => assert.fail('it did not fail'),
    reason => reason,
  )
}
