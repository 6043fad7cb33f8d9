import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '#exec/call.ts'
import { SLEEP_LABEL } from './container-data.ts'
import { containerRemove } from './container-remove.ts'
import { testHands } from './recorded-hands.test.ts'

const KEPT = 'a'.repeat(64)

/** One container of the deployment d1, which does not run. */
function handsWith(labels: Readonly<Record<string, string>>) {
  const own = { 'io.fairlead.app': 'churn', 'io.fairlead.deployment': 'd1', 'io.fairlead.slot': '0' }
  return testHands([
    ['GET docker /containers/json', { json: [{ Id: KEPT }] }],
    [
      `GET docker /containers/${KEPT}/json`,
      {
        json: {
          Id: KEPT,
          Name: '/churn-1',
          Config: { Labels: { ...own, ...labels } },
          State: { Status: 'exited' },
        },
      },
    ],
    [`POST docker /containers/${KEPT}/update`, {}],
    [`POST docker /containers/${KEPT}/start`, { status: 204 }],
    [(call: Call<unknown>) => call.kind === 'file', { names: [] }],
  ])
}

const KEEP = { app: 'churn', keep: ['d1'], drainMs: 0 }

test('what was to stay and had made room is started again', async () => {
  const { restarted } = await containerRemove.run(handsWith({}), KEEP)
  deepEqual(restarted, ['churn-1'])
})

test('what sleeps is left to its next visitor, who brings what it needs to run', async () => {
  const hands = handsWith({ [SLEEP_LABEL.idle]: '3600' })
  deepEqual((await containerRemove.run(hands, KEEP)).restarted, [])
  equal(hands.recorder.shown.filter(line => line.startsWith('POST')).length, 0)
})
