import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { Model } from './test-model.ts'
import { doSteps, type Step, sequences } from './test-steps.ts'
import { type Origin, SimulatedWorld } from './test-world.ts'

/**
 * More runs, and others each time, find more: FAIRLEAD_MODEL_RUNS=5000 node --test src/manager/simulation/deliveries.test.ts
 * With FAIRLEAD_MODEL_SEED, which a failure names, they are the same ones again.
 */
const { FAIRLEAD_MODEL_RUNS: WANTED, FAIRLEAD_MODEL_SEED: SEED } = process.env
const RUNS =
  WANTED === undefined ? { numRuns: 15, seed: 20_261_121 } : { numRuns: Number(WANTED), ...seeded() }
const LONGEST = 40

let first: SimulatedWorld
let origin: Origin

before(async () => {
  first = await SimulatedWorld.open()
  origin = await first.found()
})
after(() => first.dispose())

test('W16 W17 W18 whatever happens in whatever order, each app comes to rest at what was last wanted', async () => {
  const property = fc.asyncProperty(sequences(LONGEST), async commands => {
    await inWorld(async scene => {
      await fc.asyncModelRun(() => ({ model: {}, real: scene }), commands)
      await scene.model.checkAtRest()
    })
  })
  await fc.assert(property, { ...RUNS, endOnFailure: false })
})

/** What random sequences have found so far. */
const REGRESSIONS: readonly (readonly [what: string, steps: readonly Step[]])[] = [
  [
    'a failure that was no fault of the commit is made good without a new push',
    [
      ['deploy', 'shop'],
      ['pass', 70_000],
      ['spoil', 'image.build'],
      ['push', 'good'],
      ['pass', 70_000],
    ],
  ],
  [
    'a branch that goes back to a commit that was deployed before is followed',
    [
      ['deploy', 'shop'],
      ['pass', 70_000],
      ['push', 'good'],
      ['pass', 70_000],
      ['goBack', 0],
      ['pass', 70_000],
    ],
  ],
  [
    'a push before the first look at the repository is not overlooked',
    [
      ['deploy', 'shop'],
      ['pass', 3000],
      ['pass', 3000],
      ['push', 'good'],
    ],
  ],
  [
    'a push before the first look wins over what a person asked for earlier',
    [
      ['push', 'good'],
      ['hook', 0],
      ['pass', 10_000],
      ['deployCommit', 0],
      ['pass', 10_000],
      ['push', 'good'],
      ['kill', 0],
    ],
  ],
  [
    'a manager that dies while a failed deployment is taken back does not go on with it',
    [
      ['spoil', 'route.point'],
      ['deploy', 'shop'],
      ['pass', 10_000],
      ['kill', 0],
    ],
  ],
  [
    'a manager that dies while a container starts does not have it started again',
    [
      ['deploy', 'shop'],
      ['pass', 5000],
      ['kill', 0],
      ['pass', 400],
      ['kill', 0],
    ],
  ],
  [
    'a push while one app is being removed reaches the others of the repository',
    [
      ['deploy', 'blog'],
      ['deploy', 'shop'],
      ['pass', 70_000],
      ['link', 'cut'],
      ['remove', 'blog'],
      ['link', 'back'],
      ['push', 'good'],
      ['pass', 1000],
    ],
  ],
  [
    'a worker that is away for half an hour catches up',
    [
      ['deploy', 'shop'],
      ['pass', 70_000],
      ['link', 'cut'],
      ['push', 'good'],
      ['hook', 0],
      ['pass', 600_000],
      ['pass', 600_000],
      ['pass', 600_000],
      ['link', 'back'],
    ],
  ],
  [
    'a worker that goes away after the push was seen catches up',
    [
      ['deploy', 'shop'],
      ['pass', 70_000],
      ['spoil', 'repository.checkout'],
      ['push', 'good'],
      ['pass', 61_000],
      ['link', 'cut'],
      ['pass', 600_000],
      ['link', 'back'],
    ],
  ],
  [
    'thirty minutes without a manager: pushes meanwhile are found afterwards',
    [
      ['deploy', 'shop'],
      ['pass', 70_000],
      ['push', 'good'],
      ['push', 'good'],
      ['downtime', 30],
    ],
  ],
  [
    'an app that is gone by the time of a redelivery is not tried again',
    [
      ['goBack', 0],
      ['remove', 'blog'],
      ['hook', 0],
      ['remove', 'shop'],
      ['push', 'bad'],
      ['pass', 10_000],
      ['hookAgain', 0],
    ],
  ],
]

const AFTER_A_WISH: readonly (readonly [what: string, steps: readonly Step[]])[] = [
  [
    'W17 a push while a rollback waits is deployed behind it and does not take its place',
    [
      ['deploy', 'shop'],
      ['pass', 70_000],
      ['push', 'good'],
      ['pass', 70_000],
      ['deployCommit', 0],
      ['pass', 1000],
      ['rollBack', 'shop'],
      ['push', 'good'],
      ['hook', 0],
      ['hook', 0],
      ['kill', 3],
    ],
  ],
  [
    'W17 a push while a rollback runs is deployed behind it',
    [
      ['deploy', 'shop'],
      ['pass', 70_000],
      ['push', 'good'],
      ['pass', 70_000],
      ['rollBack', 'shop'],
      ['pass', 1000],
      ['push', 'good'],
      ['hook', 1],
    ],
  ],
  [
    'a tip that a deployment found before is no news to what a person wants by name after it',
    [
      ['pass', 600_000],
      ['push', 'good'],
      ['hook', 0],
      ['deployCommit', 0],
      ['remove', 'blog'],
    ],
  ],
  [
    'what a person wants by name after a webhook was faster than the poll stays',
    [
      ['deploy', 'shop'],
      ['pass', 70_000],
      ['push', 'good'],
      ['hook', 0],
      ['pass', 10_000],
      ['deployCommit', 0],
      ['pass', 70_000],
    ],
  ],
]

for (const [what, steps] of [...REGRESSIONS, ...AFTER_A_WISH]) {
  test(what, async () => {
    await inWorld(scene => doSteps(scene, steps))
  })
}

async function inWorld(
  work: (scene: { world: SimulatedWorld; model: Model }) => Promise<void>,
): Promise<void> {
  const world = await SimulatedWorld.open(origin)
  try {
    await work({ world, model: new Model(world) })
  } finally {
    await world.close()
  }
}

function seeded(): { readonly seed?: number } {
  return SEED === undefined ? {} : { seed: Number(SEED) }
}
