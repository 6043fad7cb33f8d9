import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { markGroup, removeLeftovers } from './leftovers.ts'
import { groupAlive } from './process-group.ts'

const root = mkdtempSync(join(tmpdir(), 'fairlead-leftovers-test-'))
after(() => rmSync(root, { recursive: true }))

test('G20 what a killed worker left running is ended by the next one, with its files', async () => {
  const folder = mkdtempSync(join(root, 'worker-'))
  const worker = spawn(process.execPath, ['--input-type=module', '--eval', workerScript(folder)], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(worker.stdout, 'data')
  const [group] = groupsIn(folder)
  assert.ok(group && groupAlive(group))
  assert.equal(readdirSync(folder).length, 2)
  worker.kill('SIGKILL')
  await once(worker, 'exit')
  assert.ok(groupAlive(group))
  await removeLeftovers({ folder, clock: systemClock, graceMs: 300, kept: [] })
  assert.ok(!groupAlive(group))
  assert.deepEqual(readdirSync(folder), [])
})

test('a process that got the number of an ended one is left alone', async () => {
  const folder = mkdtempSync(join(root, 'worker-'))
  const other = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' })
  writeFileSync(join(folder, `fairlead-group-${other.pid}-1`), '')
  await removeLeftovers({ folder, clock: systemClock, graceMs: 300, kept: [] })
  assert.ok(groupAlive(other.pid ?? 0))
  assert.deepEqual(readdirSync(folder), [])
  other.kill('SIGKILL')
})

test('a mark is gone with its process, and there is none without a folder', async () => {
  const folder = mkdtempSync(join(root, 'worker-'))
  {
    using _mark = markGroup(process.pid, folder)
    assert.deepEqual(groupsIn(folder), [process.pid])
  }
  assert.deepEqual(readdirSync(folder), [])
  markGroup(process.pid, undefined)[Symbol.dispose]()
})

/** A worker that runs a program which does not end, and says so when it has begun. */
function workerScript(folder: string): string {
  const bin = mkdtempSync(join(root, 'bin-'))
  writeFileSync(join(bin, 'git'), '#!/bin/sh\ntrap "" PIPE\necho begun; sleep 300\n', { mode: 0o755 })
  return `
    import { run } from ${JSON.stringify(join(import.meta.dirname, 'run.ts'))}
    import { createTestContext } from ${JSON.stringify(join(import.meta.dirname, 'test-context.ts'))}
    const context = createTestContext({
      temporary: ${JSON.stringify(folder)},
      searchPath: ${JSON.stringify(bin)},
      say: line => process.stdout.write(line),
    })
    const call = { kind: 'program', program: 'git', args: [], env: { PATH: '/usr/bin:/bin' }, show: 'stdout' }
    await run({ ...call, files: [{ name: 'key', content: 'x' }], timeoutMs: 60_000, read: () => 0 }, context)
  `
}

function groupsIn(folder: string): number[] {
  return readdirSync(folder).flatMap(name => {
    const group = /^fairlead-group-(\d+)-/.exec(name)?.[1]
    return group === undefined ? [] : [Number(group)]
  })
}
