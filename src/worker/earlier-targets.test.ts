import { deepEqual, equal } from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { TestClock } from '#lib/test-clock.ts'
import { type OpenSwitchboard, openSwitchboard } from './switchboard.ts'

const [ONE, OTHER, THIRD] = ['172.30.5.16', '172.30.5.17', '172.30.5.18'] as const

describe('what served a name before', () => {
  test('is held only when it is asked for, and not once it serves again or another has its address', async t => {
    const { board } = await opened(t)
    const point = (ip: string, deployment: string, holds?: boolean) =>
      board.point('churn', { ip, deployment }, holds)
    await point(ONE, 'd1')
    await point(OTHER, 'd2')
    deepEqual(statesOf(board), [])
    await point(ONE, 'd3', true)
    deepEqual(statesOf(board), ['d2 held'])
    await point(ONE, 'd3', true)
    deepEqual(statesOf(board), ['d2 held'], 'told twice')
    await point(OTHER, 'd2')
    deepEqual(statesOf(board), [])
    await point(ONE, 'd4', true)
    await point(OTHER, 'd5')
    deepEqual(statesOf(board), [])
  })

  test('keeps its address when it is kept, and the name has two others for what comes', async t => {
    const { board, again } = await opened(t)
    deepEqual(await board.slots('churn'), [ONE, OTHER])
    await board.point('churn', { ip: ONE, deployment: 'd1' })
    await board.point('churn', { ip: OTHER, deployment: 'd2' }, true)
    deepEqual(await board.slots('churn'), [ONE, OTHER], 'it may still have to serve again')
    await board.earlier.mark('churn', 'd1', 'kept')
    deepEqual(await board.slots('churn'), [THIRD, OTHER])
    equal((await board.slots('sales')).includes(ONE), false)

    const later = await again()
    deepEqual(await later.slots('churn'), [THIRD, OTHER])
    deepEqual(statesOf(later), ['d1 kept'])
    await later.point('churn', { ip: THIRD, deployment: 'd3' }, true)
    deepEqual(statesOf(later), ['d1 kept', 'd2 held'])
    await later.earlier.mark('churn', 'd1', 'ending')
    deepEqual(statesOf(later), ['d2 held'], 'nobody is led to it')
    equal(later.earlier.all().length, 2)
    await later.earlier.mark('churn', 'd1', undefined)
    deepEqual(
      later.earlier.all().map(({ name, deployment }) => `${name} ${deployment}`),
      ['churn d2'],
    )
    await later.earlier.mark('other', 'd1', 'kept')
    await later.forget('churn')
    deepEqual(later.earlier.all(), [])
  })
})

const statesOf = ({ earlier }: OpenSwitchboard) =>
  earlier.of('churn').map(({ deployment, state }) => `${deployment} ${state}`)

async function opened(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-earlier-'))
  const clock = new TestClock(0)
  const boards: OpenSwitchboard[] = []
  async function again(): Promise<OpenSwitchboard> {
    await Promise.all(boards.map(board => board.close()))
    const board = await openSwitchboard({ folder, listen: '127.0.0.1:0', subnet: '172.30.5.0/24', clock })
    boards.push(board)
    return board
  }
  t.after(async () => {
    await Promise.all(boards.map(board => board.close()))
    await rm(folder, { recursive: true })
  })
  return { board: await again(), again }
}
