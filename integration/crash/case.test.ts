import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { STEPS } from '#manager/pipeline/pipeline.ts'
import { allCases } from './case.ts'
import { SAMPLE_SIZE, sampleOf, sights } from './sample.ts'

/** Steps without crashes of their own, and why. */
const WITHOUT: Readonly<Record<string, string>> = {
  'write-back': 'of a repository that is looked at: write-back-crashes.ts has its crashes',
  status: 'of a stack on its host, which the apps of these crashes are not',
  config: 'the same',
  pull: 'the same',
  up: 'the same',
  built: 'it gives an image one more name, and ends a deployment whose commit asked for images alone',
  attest: 'it fails no deployment, and its command is told again like every other',
  'open-ports':
    'these hosts have no guardian; integration/firewall.test.ts kills it between change and confirmation',
  'close-ports': 'the same, and it fails no deployment',
  collect: 'each call of it is a crash of its own in src/commands/registry-collect.test.ts',
  settings: 'of a registry of our own, which the apps of these crashes are not',
}

const EVERY_CRASH = ['before-row', 'after-row', 'after-effect'].flatMap(moment =>
  ['manager', 'worker', 'both'].map(victim => `${moment} ${victim}`),
)

for (const step of new Set(Object.values(STEPS).flat(2))) {
  const { name } = step
  const crashes = new Set(
    allCases().flatMap(each =>
      each.step === name && each.row === 'step' ? [`${each.moment} ${each.victim}`] : [],
    ),
  )
  test(`the step ${name} has a case for each crash, or a reason why not`, () => {
    deepEqual([...crashes].sort(), WITHOUT[name] === undefined ? EVERY_CRASH.toSorted() : [])
  })
}

test('no two cases are the same', () => {
  const places = allCases().map(crash => JSON.stringify(crash))
  equal(new Set(places).size, places.length)
})

test('the sample shows each step, each work of each target, and each victim at each moment of each kind of row', () => {
  const shown = new Set(sampleOf(allCases(), SAMPLE_SIZE).flatMap(sights))
  const missing = allCases()
    .flatMap(sights)
    .filter(sight => !shown.has(sight))
  deepEqual([...new Set(missing)], [])
})
