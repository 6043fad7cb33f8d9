import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imagePrune } from './image.ts'
import { testHands } from './recorded-hands.test.ts'

const HOUR = 3_600
/** What an engine lists for the label of the app: whoever builds FROM an image of ours inherits it. */
const LISTED = [
  ['old', 0, `fairlead/orders:t-${'1'.repeat(32)}`],
  ['kept', 0, `fairlead/orders:t-${'2'.repeat(32)}`],
  ['notebook', 0, `fairlead/notebooks/p/orders:t-${'3'.repeat(24)}`],
  ['by-hand', 0, 'someones-tool:1.0'],
  ['named-twice', 0, `fairlead/orders:t-${'4'.repeat(32)}`, 'orders:mine'],
  ['untagged', 0],
  ['untagged-and-new', HOUR + 1],
] as const

function host() {
  const json = LISTED.map(([Id, Created, ...RepoTags]) => ({ Id, Created, RepoTags, RepoDigests: [] }))
  return testHands([
    ['GET docker /images/json', { json }],
    ['DELETE docker /images/', { status: 200 }],
  ])
}

test('an image goes by the names of its builds only, or without any name once it is an hour old', async () => {
  const hands = host()
  await hands.clock.sleep(2 * HOUR * 1_000)
  const keep = [LISTED[1][2]]
  const { removed } = await imagePrune.run(hands, { app: 'orders', keep, keepLast: 0 })
  const names = [LISTED[0][2], LISTED[2][2], LISTED[4][2], 'untagged']
  assert.deepEqual([...removed].sort(), names.sort())
  const asked = hands.recorder.shown.flatMap(line => /^DELETE docker \/images\/(.+)$/.exec(line)?.[1] ?? [])
  assert.deepEqual(asked.sort(), names.sort())
})

test('what a failed deployment made goes at once, and nothing else does', async () => {
  const only = [LISTED[0][2]]
  const { removed } = await imagePrune.run(host(), { app: 'orders', keep: [], keepLast: 0, only })
  assert.deepEqual(removed, only)
})
