import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { armFailpoints, failpoint, failpointsIn } from './failpoint.ts'

const folder = mkdtempSync(join(tmpdir(), 'fairlead-failpoint-test-'))
after(() => rmSync(folder, { recursive: true }))

test('a process stops at the armed failpoint only, and goes on from there', async () => {
  const file = join(folder, 'failpoint')
  writeFileSync(file, 'worker push after-*')
  const script = `
    import { armFailpoints, failpoint } from ${JSON.stringify(join(import.meta.dirname, 'failpoint.ts'))}
    armFailpoints(${JSON.stringify(file)})
    failpoint('worker', 'push', 'before-row')
    failpoint('the worker', 'push', 'after-row')
    process.stdout.write('before')
    failpoint('worker', 'push', 'after-row')
    process.stdout.write('after')
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', chunk => {
    said += chunk
  })
  while (!/\) T /.test(readFileSync(`/proc/${child.pid}/stat`, 'latin1'))) {
    assert.equal(child.exitCode, null, 'it ended instead of stopping')
    await sleep(10)
  }
  // It has been written by now, and may still be on its way.
  while (said === '') {
    await sleep(10)
  }
  assert.equal(said, 'before')
  child.kill('SIGCONT')
  await once(child, 'close')
  assert.equal(said, 'beforeafter')
})

test('nothing stops without a file, and nothing when failpoints are not armed', () => {
  failpoint('worker', 'push', 'after-row')
  armFailpoints(join(folder, 'none'))
  failpoint('worker', 'push', 'after-row')
  armFailpoints(undefined)
})

test('only a process that is told to be a test has failpoints', () => {
  const TEST_FAILPOINTS = join(folder, 'failpoint')
  assert.equal(failpointsIn({ TEST_FAILPOINTS }), undefined)
  assert.equal(failpointsIn({ TEST_FAILPOINTS, NODE_ENV: 'production' }), undefined)
  assert.equal(failpointsIn({ NODE_ENV: 'test' }), undefined)
  assert.equal(failpointsIn({ TEST_FAILPOINTS, NODE_ENV: 'test' }), TEST_FAILPOINTS)
})
