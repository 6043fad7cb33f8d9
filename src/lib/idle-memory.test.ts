import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { returnMemoryWhenIdle } from './idle-memory.ts'

test('memory is returned once after work, when there is nothing to do, and never while there is', () => {
  let turn = () => {}
  let usedMs = 400
  const collected: number[] = []
  const every = (_: number, run: () => void) => {
    turn = run
    return { close: () => {} }
  }
  returnMemoryWhenIdle({ every }, { usedMs: () => usedMs, collect: () => collected.push(usedMs) })
  const after = (ms: number) => {
    usedMs += ms
    turn()
    return collected.length
  }
  assert.equal(after(10), 0, 'it has done nothing')
  assert.equal(after(900), 0, 'it is at work')
  assert.equal(after(700), 0, 'it is still at work')
  assert.equal(after(20), 1)
  assert.equal(after(20), 1, 'nothing has come since')
  assert.equal(after(240), 1)
  assert.equal(after(99), 2, 'little work, but enough of it')
  for (let turns = 0; turns < 1000; turns += 1) {
    assert.equal(after(15), 2, 'timers that find nothing to do are no work')
  }
})

test('what a process left behind is given back to the system', () => {
  const program = `
    import { returnMemoryWhenIdle } from ${JSON.stringify(join(import.meta.dirname, 'idle-memory.ts'))}
    returnMemoryWhenIdle({ every: (ms, run) => ({ close() {}, timer: setTimeout(work, 0, run) }) })
    function work(run) {
      const began = process.cpuUsage().user
      let kept = []
      while (kept.length < 2_000_000 || process.cpuUsage().user < began + 500_000) {
        kept = Array.from({ length: 2_000_000 }, (_, at) => ({ at }))
      }
      const before = process.memoryUsage().heapTotal
      kept = undefined
      run()
      setImmediate(() => {
        run()
        console.log(JSON.stringify({ before, after: process.memoryUsage().heapTotal }))
      })
    }
  `
  const told = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  })
  const { before, after } = JSON.parse(told) as { before: number; after: number }
  assert.ok(after < before / 4, told)
})
