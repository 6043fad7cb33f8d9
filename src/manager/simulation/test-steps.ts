import fc from 'fast-check'
import type { Model } from './test-model.ts'
import { APPS, type AppName, type SimulatedWorld } from './test-world.ts'

const MINUTE = 60_000

interface Scene {
  readonly world: SimulatedWorld
  readonly model: Model
}

type Doing = (scene: Scene, value: never) => Promise<void>

/** Everything that people, a Git host and bad luck do. A step that makes no sense now does nothing. */
const STEPS = {
  async push({ world, model }: Scene, kind: 'good' | 'bad') {
    world.git.push(kind)
    model.pushed()
  },
  async goBack({ world, model }: Scene, index: number) {
    world.git.goBack(index)
    model.pushed()
  },
  /** Not always the oldest: deliveries overtake each other. */
  async hook({ model }: Scene, index: number) {
    const [event] = model.outbox.splice(index % Math.max(1, model.outbox.length), 1)
    if (event) {
      await model.send(event)
    }
  },
  async hookAgain({ model }: Scene, index: number) {
    const sent = model.sent[index % Math.max(1, model.sent.length)]
    if (sent) {
      await model.sendAgain(sent)
    }
  },
  async forge({ model }: Scene, index: number) {
    const sent = model.sent[index % Math.max(1, model.sent.length)]
    if (sent) {
      await model.forge(sent)
    }
  },
  async kill({ world }: Scene, statements: number) {
    await world.kill(statements)
  },
  async downtime({ world }: Scene, minutes: number) {
    await world.kill(0)
    await world.pass(minutes * MINUTE)
  },
  async link({ world }: Scene, state: 'cut' | 'back' | 'blink') {
    world.host.setOnline(state !== 'cut')
    if (state === 'blink') {
      world.host.setOnline(false)
      await world.settle()
      world.host.setOnline(true)
    }
    await world.settle()
  },
  async restartWorker({ world }: Scene, when: 'before the effect' | 'after the effect') {
    world.host.restart(when)
    await world.settle()
  },
  async spoil({ world }: Scene, command: string) {
    world.host.spoil(command)
  },
  async deploy({ world, model }: Scene, app: AppName) {
    model.asked(app)
    await world.api('POST', `/apps/${app}/deploy`, {})
  },
  async deployCommit({ world, model }: Scene, index: number) {
    const app = APPS[index % APPS.length] ?? 'shop'
    model.wished(app)
    const commit = world.git.commits[index % world.git.commits.length]
    model.named(app, await world.api('POST', `/apps/${app}/deploy`, { commit }))
  },
  async rollBack({ world, model }: Scene, app: AppName) {
    model.wished(app)
    model.named(app, await world.api('POST', `/apps/${app}/rollback`, {}))
  },
  async cancel({ world, model }: Scene, app: AppName) {
    model.wished(app)
    const listed = (await world.api('GET', `/deployments?app=${app}`))?.body.items as
      | { id: string }[]
      | undefined
    if (listed?.[0]) {
      await world.api('POST', `/deployments/${listed[0].id}/cancel`)
    }
  },
  async remove({ world, model }: Scene, app: AppName) {
    model.wished(app)
    model.approvals.forget(app)
    await world.api('DELETE', `/apps/${app}`)
  },
  async create({ world, model }: Scene, app: AppName) {
    const answer = await world.api('POST', '/apps', { name: app, repository: 'site' })
    if (answer?.status !== 409) {
      model.created(app)
    }
  },
  async guard({ model }: Scene, app: AppName) {
    await model.approvals.guard(app)
  },
  async trust({ model }: Scene, app: AppName) {
    await model.approvals.trust(app)
  },
  async approve({ model }: Scene, app: AppName) {
    await model.approvals.approveWaiting(app)
  },
  async pass({ world }: Scene, ms: number) {
    await world.pass(ms)
  },
} as const satisfies Record<string, Doing>

type StepName = keyof typeof STEPS
export type Step = { [N in StepName]: readonly [N, Parameters<(typeof STEPS)[N]>[1]] }[StepName]

/** Does the steps in a world of its own, checks the model after each, lets all come to rest and checks again. */
export async function doSteps({ world, model }: Scene, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    await doStep({ world, model }, step)
  }
  await model.checkAtRest()
}

async function doStep(scene: Scene, [name, value]: Step): Promise<void> {
  await (STEPS[name] as (scene: Scene, value: unknown) => Promise<void>)(scene, value)
  await scene.model.checkAlways()
}

const anApp = fc.constantFrom(...APPS)
const anIndex = fc.nat(9)

const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant('push'), fc.constantFrom('good', 'good', 'good', 'bad')) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('goBack'), anIndex) },
  { weight: 6, arbitrary: fc.tuple(fc.constant('hook'), anIndex) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('hookAgain'), anIndex) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('forge'), anIndex) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('kill'), fc.nat(120)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('downtime'), fc.constantFrom(1, 30)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('link'), fc.constantFrom('cut', 'back', 'back', 'blink')) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant('restartWorker'),
      fc.constantFrom('before the effect', 'after the effect'),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant('spoil'),
      fc.constantFrom(
        'repository.tip',
        'repository.checkout',
        'image.build',
        'container.start',
        'route.point',
      ),
    ),
  },
  { weight: 3, arbitrary: fc.tuple(fc.constant('deploy'), anApp) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('deployCommit'), anIndex) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('rollBack'), anApp) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('cancel'), anApp) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('remove'), anApp) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('create'), anApp) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('guard'), anApp) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('trust'), anApp) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('approve'), anApp) },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constant('pass'), fc.constantFrom(100, 1000, 3000, 10_000, 70_000, 600_000)),
  },
) as fc.Arbitrary<Step>

/** One step for fast-check; it prints what a regression test can repeat. */
class StepCommand implements fc.AsyncCommand<object, Scene> {
  readonly #step: Step

  constructor(step: Step) {
    this.#step = step
  }

  check(): boolean {
    return true
  }

  async run(_: object, scene: Scene): Promise<void> {
    await doStep(scene, this.#step)
  }

  toString(): string {
    return JSON.stringify(this.#step)
  }
}

/** Random sequences of steps. */
export function sequences(longest: number): fc.Arbitrary<Iterable<fc.AsyncCommand<object, Scene>>> {
  return fc.commands([STEP.map(step => new StepCommand(step))], { maxCommands: longest, size: 'max' })
}
