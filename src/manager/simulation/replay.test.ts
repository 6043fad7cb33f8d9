import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { Model } from './test-model.ts'
import { allRows } from './test-rows.ts'
import { sequences } from './test-steps.ts'
import { type Origin, SimulatedWorld } from './test-world.ts'

const SEEDS = [2, 3]
const LENGTH = 40

let first: SimulatedWorld
let origin: Origin

before(async () => {
  first = await SimulatedWorld.open()
  origin = await first.found()
})
after(() => first.dispose())

test('what the steps of a seed lead to, kills and lost links among them, is the same each time', async () => {
  for (const seed of SEEDS) {
    const once = await historyOf(seed)
    assert.ok(once.length > 0)
    assert.deepEqual(await historyOf(seed), once)
  }
})

/** Every deployment of the sequence that this seed gives, and when it began and ended. */
async function historyOf(seed: number): Promise<readonly unknown[]> {
  const world = await SimulatedWorld.open(origin)
  try {
    const [commands = []] = fc.sample(sequences(LENGTH), { seed, numRuns: 1 })
    const scene = { world, model: new Model(world) }
    await fc.asyncModelRun(() => ({ model: {}, real: scene }), commands)
    await scene.model.checkAtRest()
    return (await allRows(world)).map(row =>
      [row.app, row.kind, row.trigger.kind, row.state, row.outcome, row.commit, row.error?.code]
        .concat([row.created_at, row.started_at, row.finished_at])
        .join(' '),
    )
  } finally {
    await world.close()
  }
}
