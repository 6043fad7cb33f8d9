import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createRedactor } from '#lib/redact.ts'
import { type ProgramCall, type ProgramOutput, SEARCH_PATH } from './call.ts'
import { LONGEST_LINE } from './lines.ts'
import { run } from './run.ts'
import { createTestContext } from './test-context.ts'

const root = mkdtempSync(join(tmpdir(), 'fairlead-live-output-test-'))
after(() => rmSync(root, { recursive: true }))

test('L01 hostile output comes as lines with its raw text, and never as more than a line', async () => {
  const hostile = Buffer.concat([
    Buffer.from('\x1b]0;title\x07 \x1b[2J clear\n10%\r20%\n'),
    Buffer.from('bidi \u202e over\n8-bit \u009b31m\nnul \0 byte\n'),
    Buffer.from([0x66, 0xff, 0xfe, 0x6f, 0x0a]),
    Buffer.from('cut off \xe2', 'latin1'),
  ])
  writeFileSync(join(root, 'hostile'), hostile)
  const said = await saidBy(`cat ${root}/hostile`)
  assert.deepEqual(said, [
    'stdout: \x1b]0;title\x07 \x1b[2J clear',
    'stdout: 10%',
    'stdout: 20%',
    'stdout: bidi \u202e over',
    'stdout: 8-bit \u009b31m',
    'stdout: nul ␀ byte',
    'stdout: f��o',
    'stdout: cut off �',
  ])
})

test('L01 a line of 10 MB without an end is split at 16 KiB', async () => {
  const said = await saidBy("head -c 10000000 /dev/zero | tr '\\0' x")
  assert.equal(said.length, Math.ceil(10_000_000 / LONGEST_LINE))
  assert.equal(said.join('').replaceAll('stdout: ', '').length, 10_000_000)
})

test('L02 a line that looks like a log record stays a text', async () => {
  const forged = '{"level":"info","event":"deploy.ok"}'
  assert.deepEqual(await saidBy(`echo '${forged}'`), [`stdout: ${forged}`])
})

for (const show of ['stdout', 'stderr', 'both', 'none'] as const) {
  test(`show ${show} shows that`, async () => {
    const context = createTestContext()
    await runScript('echo out; echo err >&2', { show }, context)
    const wanted = {
      stdout: ['stdout: out'],
      stderr: ['stderr: err'],
      both: ['stderr: err', 'stdout: out'],
      none: [],
    }
    assert.deepEqual(context.said.toSorted(), wanted[show])
  })
}

test('a line is shown when it ends, not when the program does', async () => {
  const context = createTestContext()
  const seen: string[] = []
  await runScript(
    'echo first; while [ ! -e seen ]; do sleep 0.01; done; echo last',
    { show: 'stdout', cwd: root },
    {
      ...context,
      say(line) {
        seen.push(line)
        writeFileSync(join(root, 'seen'), '')
      },
    },
  )
  assert.deepEqual(seen, ['first', 'last'])
})

test('C46 R01 a secret that a program prints is redacted, also when it arrives in two writes or encoded', async () => {
  const secret = 'C4nary/with+signs'
  const context = createTestContext({ redactor: createRedactor([secret]) })
  await runScript(
    `printf 'one C4nary/wi'; sleep 0.1; printf 'th+signs end\\n'
     printf 'C4nary/with+signs' | base64
     echo https://fox:C4nary%2Fwith%2Bsigns@example.org/x >&2`,
    { show: 'both' },
    context,
  )
  const all = context.said.join('\n')
  assert.match(all, /stdout: one \[redacted\] end/)
  assert.equal(all.match(/\[redacted\]/g)?.length, 3)
  assert.doesNotMatch(all, /C4nary|signs|QzRuYXJ5/)
})

test('what fails while a line is taken fails the call, not the worker', async () => {
  const context = createTestContext({
    say: () => {
      throw new Error('the store is full')
    },
  })
  await assert.rejects(runScript('yes', { show: 'stdout', keep: 'tail' }, context), /the store is full/)
})

test('P10 memory stays flat while a program prints 200 MB that are shown', async () => {
  let lines = 0
  let highest = 0
  const context = createTestContext({
    say: () => {
      lines++
      if (lines % 10_000 === 0) {
        highest = Math.max(highest, process.memoryUsage.rss())
      }
    },
  })
  const text = '#12 34.5 npm http fetch GET 200 https://registry.example.org/a-package 12ms'
  await runScript(`yes '${text}' | head -c 20000000`, { show: 'stdout', keep: 'tail' }, context)
  const before = process.memoryUsage.rss()
  const output = await runScript(
    `yes '${text}' | head -c 200000000`,
    { show: 'stdout', keep: 'tail' },
    context,
  )
  assert.ok(lines > 2_500_000)
  assert.ok(output.stdout.length <= 64 * 1024)
  const growth = Math.max(highest, process.memoryUsage.rss()) - before
  assert.ok(growth < 64 * 1024 * 1024, `grew by ${Math.round(growth / 1024 / 1024)} MiB`)
})

async function saidBy(script: string): Promise<string[]> {
  const context = createTestContext()
  await runScript(script, { show: 'stdout', keep: 'tail' }, context)
  return context.said
}

async function runScript(
  script: string,
  changes: Partial<ProgramCall<ProgramOutput>>,
  context: ReturnType<typeof createTestContext>,
): Promise<ProgramOutput> {
  const folder = mkdtempSync(join(root, 'bin-'))
  writeFileSync(join(folder, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return run(
    {
      kind: 'program',
      program: 'git',
      args: [],
      env: { PATH: SEARCH_PATH },
      timeoutMs: 60_000,
      read: output => output,
      ...changes,
    },
    { ...context, searchPath: folder },
  )
}
