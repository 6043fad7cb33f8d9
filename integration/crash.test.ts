import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { allCases, type Case, engineCases } from './crash/case.ts'
import { runInLanes } from './crash/lanes.ts'
import {
  type LeaderOutcome,
  leaderCrashText,
  leaderSample,
  runLeaderCrashes,
} from './crash/leader-crashes.ts'
import { isWell, lineOf, placeOf, recoveryOf, summaryOf } from './crash/report.ts'
import type { Result } from './crash/run-case.ts'
import { SAMPLE_SIZE, sampleOf } from './crash/sample.ts'
import { runStackCrashes, stackCrashText, stackSample } from './crash/stack-crashes.ts'
import { WITHOUT_POSTGRES } from './world/postgres-server.ts'

/** What has to come up is in crash/sample.ts; all run with `npm run test:crash`. */
const SAMPLE = [
  ...sampleOf(allCases(), SAMPLE_SIZE),
  ...engineCases().filter(({ target, step, moment }) =>
    ['container build after-row', 'container apply after-effect'].includes([target, step, moment].join(' ')),
  ),
]

let results: readonly Result[] = []
let ofStacks: readonly (readonly string[])[] = []
let ofLeaders: readonly LeaderOutcome[] = []

before(async () => {
  // Each has a world of its own, and mostly waits.
  ;[results, ofStacks, ofLeaders] = await Promise.all([
    runInLanes(SAMPLE, 2, () => undefined),
    runStackCrashes(stackSample()),
    WITHOUT_POSTGRES ? [] : runLeaderCrashes(leaderSample()),
  ])
})

for (const crash of SAMPLE) {
  test(`killed at ${placeOf(crash).replaceAll(/ +/g, ' ')}: all is as it is said to be`, () => {
    const result = resultOf(crash)
    assert.ok(result, 'it was not run')
    assert.ok(isWell(result), lineOf(result))
  })
}

for (const [index, crash] of stackSample().entries()) {
  test(`killed at ${stackCrashText(crash).replaceAll(/ +/g, ' ')}: the swarm is as it is said to be`, () => {
    assert.deepEqual(ofStacks[index], [])
  })
}

for (const [index, crash] of leaderSample().entries()) {
  const title = `${leaderCrashText(crash).replaceAll(/ +/g, ' ')}: the other manager goes on with it`
  test(title, { skip: WITHOUT_POSTGRES }, () => {
    assert.deepEqual(ofLeaders[index]?.wrong, [])
  })
}

test('nothing was lost, is unknown, was done twice or is left behind', t => {
  t.diagnostic(`median recovery: ${recoveryOf(results)}`)
  assert.equal(
    summaryOf(results),
    `crash cases: ${SAMPLE.length}, lost: 0, unknown: 0, duplicated: 0, left behind: 0`,
  )
})

function resultOf(crash: Case): Result | undefined {
  return results.find(result => placeOf(result.crash) === placeOf(crash))
}
