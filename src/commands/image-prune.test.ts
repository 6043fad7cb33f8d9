import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LABEL } from './container-data.ts'
import { imagePrune } from './image.ts'
import { NOTEBOOK_LABEL } from './notebook-images.ts'
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

test('R43 a name of people’s kind goes when a deployment gave it, and the image with its last one', async () => {
  const hands = host()
  await hands.clock.sleep(2 * HOUR * 1_000)
  const keep = [LISTED[0][2], LISTED[1][2], LISTED[2][2]]
  const given = ['orders:mine', 'orders:other']
  const { removed } = await imagePrune.run(hands, { app: 'orders', keep, keepLast: 0, given })
  assert.deepEqual(removed.toSorted(), [LISTED[4][2], 'orders:mine', 'untagged'])
})

test('what a failed deployment made goes at once, and nothing else does', async () => {
  const only = [LISTED[0][2]]
  const { removed } = await imagePrune.run(host(), { app: 'orders', keep: [], keepLast: 0, only })
  assert.deepEqual(removed, only)
})

test('a proposal names what would go, by everything that it is called, and takes nothing', async () => {
  const hands = host()
  await hands.clock.sleep(2 * HOUR * 1_000)
  const keep = [LISTED[0][2], LISTED[1][2]]
  const { removed, candidates = [] } = await imagePrune.run(hands, {
    ...{ app: 'orders', keep, keepLast: 0, propose: true },
  })
  assert.deepEqual(removed, [])
  assert.ok(!hands.recorder.shown.some(line => line.startsWith('DELETE')))
  assert.deepEqual(
    candidates.map(({ take, known }) => [take, known]).toSorted(),
    [
      [[LISTED[2][2]], ['notebook', LISTED[2][2]]],
      [[LISTED[4][2]], ['named-twice', LISTED[4][2], 'orders:mine']],
      [['untagged'], ['untagged']],
    ].toSorted(),
  )
})

const keyOf = (digit: string) => `e-${digit.repeat(24)}`
const environment = (digit: string, root = 'fairlead/notebooks') => `${root}/env:${keyOf(digit)}`
const content = (app: string) => `fairlead/notebooks/p/${app}:t-${'0'.repeat(24)}`
const OLD_CONTENT = listed('1', [content('churn')], { app: 'churn' })
/** Whatever is built FROM an environment inherits its label. */
const OF_NOTEBOOKS = [
  OLD_CONTENT,
  listed('1', [environment('1')]),
  listed('2', [environment('2', 'host:5000/team')]),
  ...['3', '8'].map(digit => listed(digit, [environment(digit)])),
  ...[listed('4', [environment('4')]), listed('4', [content('sales')], { app: 'sales' })],
  listed('5', [environment('5')], { created: HOUR + 1 }),
  listed('6', [environment('6'), 'lab:mine']),
  ...[listed('7', [environment('7')]), listed('7', ['lab-base:3.12'])],
  listed('9', [environment('1')]),
]

function listed(digit: string, names: readonly string[], more: { created?: number; app?: string } = {}) {
  const Labels = {
    [NOTEBOOK_LABEL.environment]: keyOf(digit),
    ...(more.app === undefined ? {} : { [LABEL.app]: more.app }),
  }
  const { created: Created = 0 } = more
  return { Id: `${digit} ${names[0]}`, Created, RepoTags: names, RepoDigests: [], Labels }
}

async function hostOfNotebooks() {
  // One that sleeps: the engine says of it what its image says.
  const Labels = { [NOTEBOOK_LABEL.environment]: keyOf('3') }
  const hands = testHands([
    [
      call => call.kind === 'request' && JSON.stringify(call.query ?? '').includes(`${LABEL.app}=churn`),
      { json: [OLD_CONTENT] },
    ],
    ['GET docker /images/json', { json: OF_NOTEBOOKS }],
    ['GET docker /containers/json', { json: [{ Id: 'c', State: 'exited', ImageID: 'i', Labels }] }],
    ['DELETE docker /images/', { status: 200 }],
  ])
  await hands.clock.sleep(2 * HOUR * 1_000)
  return hands
}

const NOTEBOOK = { app: 'churn', keep: [keyOf('8')], keepLast: 0, environments: true }

test('R43 of environments of notebooks go those that no container, kept release or other image was made from', async () => {
  const { removed } = await imagePrune.run(await hostOfNotebooks(), NOTEBOOK)
  assert.deepEqual(removed, [content('churn'), environment('1'), environment('2', 'host:5000/team')])
  const { environments: _, ...app } = NOTEBOOK
  assert.deepEqual((await imagePrune.run(await hostOfNotebooks(), app)).removed, [content('churn')])
})

test('an environment is proposed with its key, by which releases and plans of others know it', async () => {
  const { candidates = [] } = await imagePrune.run(await hostOfNotebooks(), { ...NOTEBOOK, propose: true })
  assert.deepEqual(
    candidates.map(({ take, known }) => [...take, known.at(-1)]),
    [
      [content('churn'), content('churn')],
      [environment('1'), keyOf('1')],
      [environment('2', 'host:5000/team'), keyOf('2')],
    ],
  )
  const only = [environment('1'), environment('3')]
  const { removed } = await imagePrune.run(await hostOfNotebooks(), { ...NOTEBOOK, only })
  assert.deepEqual(removed, [environment('1')])
})
