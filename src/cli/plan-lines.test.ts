import assert from 'node:assert/strict'
import { test } from 'node:test'
import picocolors from 'picocolors'
import { planLines, type ShownPlan } from './plan-lines.ts'

const colour = picocolors.createColors(false)
const plan: ShownPlan = {
  app: 'shop',
  commit: 'c'.repeat(40),
  subject: 'Say hello',
  hash: 'f'.repeat(64),
  nothingToDo: false,
  changes: [],
}

test('a plan has a line for each change, aligned, and one for everything that stays', () => {
  const changes = [
    { kind: 'recreate', what: 'web', why: 'its configuration or image changed' },
    { kind: 'image', what: 'web', from: 'sha256:111111111111', to: 'will be built' },
    { kind: 'environment', what: 'GREETING of web', why: 'changed' },
    { kind: 'open', what: 'host port 20080 of db' },
    { kind: 'delete-volume', what: 'volumes without a name of shop-old-1' },
    { kind: 'untouched', what: 'db' },
    { kind: 'untouched', what: 'cache' },
  ]
  assert.deepEqual(planLines({ ...plan, changes }, colour), [
    'shop at cccccccccccc Say hello',
    '  ~ recreate      web                                   its configuration or image changed',
    '  ~ image         web                                   sha256:111111111111 → will be built',
    '  ~ environment   GREETING of web                       changed',
    '  + open port     host port 20080 of db',
    '  - delete volume volumes without a name of shop-old-1',
    '    untouched     db, cache',
    '  plan ffffffffffffffff',
  ])
})

test('a plan that changes nothing says so first', () => {
  const lines = planLines(
    { ...plan, nothingToDo: true, changes: [{ kind: 'untouched', what: 'web' }] },
    colour,
  )
  assert.equal(lines[1], '  No change: what runs is what is wanted.')
  assert.equal(lines.length, 4)
})

test('nothing in a plan moves the cursor of the terminal that shows it', () => {
  const changes = [{ kind: 'add\u001b[2J', what: 'we\u001b[1Ab', from: 'a\r\nb', why: 'x\u202ey' }]
  assert.doesNotMatch(
    planLines({ ...plan, subject: '\u001b]0;x\u0007', changes }, colour).join(''),
    /[\u001b\r\n\u202e]/,
  )
})
