import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { allCases } from './crash/case.ts'
import { startCrashWorld } from './crash/crash-world.ts'
import { isWell, lineOf, placeOf, recoveryOf, summaryOf } from './crash/report.ts'
import { Crashes, type Result } from './crash/run-case.ts'

/** Prime to the nine crashes of a place, so that every moment and every victim comes up; all run with `npm run test:crash`. */
const EVERY = 25
const SAMPLE = allCases().filter((_, index) => index % EVERY === 4)

const stack = new AsyncDisposableStack()
const results: Result[] = []
let crashes: Crashes

before(async () => {
  crashes = new Crashes(await startCrashWorld(stack, { engine: 'shared' }))
})

after(() => stack.disposeAsync())

for (const crash of SAMPLE) {
  test(`killed at ${placeOf(crash).replaceAll(/ +/g, ' ')}: all is as it is said to be`, async () => {
    const result = await crashes.run(crash)
    results.push(result)
    assert.ok(isWell(result), lineOf(result))
  })
}

test('nothing was lost, is unknown, was done twice or is left behind', t => {
  t.diagnostic(`median recovery: ${recoveryOf(results)}`)
  assert.equal(
    summaryOf(results),
    `crash cases: ${SAMPLE.length}, lost: 0, unknown: 0, duplicated: 0, left behind: 0`,
  )
})
