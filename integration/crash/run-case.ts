import type { AppDocument } from '#contract/rest/apps.ts'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import { ask, cancel, letWait, type Scene, untilEnded } from './ask.ts'
import type { Case } from './case.ts'
import type { CrashApp } from './crash-app.ts'
import { type CrashWorld, untilStopped } from './crash-world.ts'
import { duplicates } from './duplicates.ts'
import { leftBehind } from './left-behind.ts'
import { isRightEnd } from './right-end.ts'
import { falsehoods, type Serving, servingNow } from './what-runs.ts'

const STOPS_WITHIN_MS = 120_000
const TIDY_WITHIN_MS = 10_000
const LOOK_AGAIN_MS = 100

/** What came of one crash. Every list is empty when all is well. */
export interface Result {
  readonly crash: Case
  /** How the deployment ended, with the code of its error. */
  readonly outcome: string
  /** From the kill to the end of the deployment. */
  readonly recoveryMs: number
  /** Deployments that did not end, or not as they would have without the crash. */
  readonly lost: readonly string[]
  /** What is said of a deployment and is not so. */
  readonly unknown: readonly string[]
  readonly duplicated: readonly string[]
  readonly leftBehind: readonly string[]
  /** Why the crash could not be brought about, or its end not be looked at. */
  readonly missed: readonly string[]
}

/** Says nothing of Fairlead: the harness could not do this case. */
export function missedBy(crash: Case, why: string): Result {
  const nothing = { lost: [], unknown: [], duplicated: [], leftBehind: [] }
  return { crash, outcome: '', recoveryMs: 0, ...nothing, missed: [why] }
}

/** Crashes one after the other in one world, and looks after each whether all is as it is said to be. */
export class Crashes {
  readonly #world: CrashWorld
  /** What serves now, by app; the apps that were ever deployed. */
  readonly #serving = new Map<CrashApp, Serving | undefined>()
  /** What was found already, so that it counts once. */
  readonly #known = new Set<string>()

  constructor(world: CrashWorld) {
    this.#world = world
  }

  async run(crash: Case): Promise<Result> {
    const app = await this.#world.app(crash.target)
    const scene = await this.#prepare(app, crash)
    const idle = crash.failpoint === '' ? await this.#crash(crash) : undefined
    if (idle === undefined) {
      await this.#world.arm(crash.failpoint)
    }
    const asked = await ask(this.#world, app, { work: crash.work, ...scene })
    const ending = untilEnded(this.#world, asked)
    const stopped = idle !== undefined || (await this.#untilStopped(ending))
    if (stopped && crash.work === 'cancel') {
      await cancel(this.#world, asked)
    }
    await this.#world.disarm()
    const killedAt = idle ?? (stopped ? await this.#crash(crash) : systemClock.monotonic())
    const end = await ending
    const recoveryMs = Math.round(systemClock.monotonic() - killedAt)
    if (scene.waiting) {
      await this.#patch(app, { approval: 'by-deploy-file' })
    }
    if (!stopped) {
      this.#serving.set(app, await servingNow(this.#world, app))
      return missedBy(crash, `nothing stopped at "${crash.failpoint}": ${outcomeOf(end)} ${reasonOf(end)}`)
    }
    const unknown =
      end === undefined ? [] : await falsehoods(this.#world, app, { asked, end, before: scene.before })
    if (crash.work === 'stop') {
      await this.#start(app)
    }
    this.#serving.set(app, await servingNow(this.#world, app))
    return {
      crash,
      outcome: outcomeOf(end),
      recoveryMs,
      lost: isRightEnd(crash, end)
        ? []
        : [`${crash.work} of ${app.name}: ${outcomeOf(end)} ${reasonOf(end)}`.trim()],
      unknown: unknown.map(text => `${text} ${reasonOf(end)}`.trim()),
      duplicated: this.#news(await duplicates(this.#world)),
      leftBehind: this.#news(await this.#untidy()),
      missed: [],
    }
  }

  /** Kills, and gives when. */
  async #crash({ victim }: Case): Promise<number> {
    const killedAt = systemClock.monotonic()
    await this.#world.crash(victim)
    return killedAt
  }

  /** What was stopped runs again: it is tidy when it is as before. */
  async #start({ name }: CrashApp): Promise<void> {
    const { client } = this.#world.system.together()
    const { stopped } = await client.get<AppDocument>(`/apps/${name}`)
    const wish = { wait_seconds: 120 }
    const end = stopped && (await client.send<DeploymentDocument>('POST', `/apps/${name}/start`, wish))
    if (end && end.state !== 'succeeded') {
      throw new Error(`${name} cannot be started again: ${end.state} ${end.error?.message}`)
    }
  }

  async #patch({ name }: CrashApp, changes: object): Promise<void> {
    await this.#world.system.together().client.send('PATCH', `/apps/${name}`, changes)
  }

  /** Makes that the app runs, or that it does not if this is to be its first deployment. */
  async #prepare(app: CrashApp, { work }: Case): Promise<Scene> {
    const serving = this.#serving.get(app)
    if (work !== 'first') {
      const before = serving ?? (await this.#deploy(app))
      switch (work) {
        case 'rollback':
          return { before: await this.#deploy(app), earlier: before.text }
        case 'approve':
          return { before, waiting: await letWait(this.#world, app) }
        default:
          return { before }
      }
    }
    if (serving) {
      await untilEnded(this.#world, await ask(this.#world, app, { work: 'remove' }))
      this.#serving.set(app, undefined)
    }
    await this.#register(app)
    const { body } = await this.#world.system.visit(app.host)
    return { before: { text: body, containers: [] } }
  }

  /** Again, when it was removed. */
  async #register(app: CrashApp): Promise<void> {
    if (this.#serving.has(app) && this.#serving.get(app) === undefined) {
      await app.register()
    }
  }

  /** A first version, without a crash. */
  async #deploy(app: CrashApp): Promise<Serving> {
    await this.#register(app)
    const end = await untilEnded(this.#world, await ask(this.#world, app, { work: 'deploy' }))
    const serving = await servingNow(this.#world, app)
    if (end?.state !== 'succeeded' || !serving) {
      throw new Error(`${app.name} cannot be deployed: ${end?.state} ${end?.error?.message}`)
    }
    this.#serving.set(app, serving)
    return serving
  }

  /** Whether it stopped before it ended. */
  async #untilStopped(ending: Promise<unknown>): Promise<boolean> {
    const { manager, worker } = this.#world
    const deadline = systemClock.monotonic() + STOPS_WITHIN_MS
    let over = false
    const end = () => {
      over = true
    }
    ending.then(end, end)
    return await untilStopped([manager, worker], () => over || systemClock.monotonic() > deadline)
  }

  /** What is still there a while after the end: what was told of it may be removed only now. */
  async #untidy(): Promise<readonly string[]> {
    const deadline = systemClock.monotonic() + TIDY_WITHIN_MS
    for (;;) {
      const left = await leftBehind(this.#world, [...this.#serving.keys()])
      if (left.every(text => this.#known.has(text)) || systemClock.monotonic() > deadline) {
        return left
      }
      await systemClock.sleep(LOOK_AGAIN_MS)
    }
  }

  #news(found: readonly string[]): readonly string[] {
    const fresh = found.filter(text => !this.#known.has(text))
    fresh.forEach(text => void this.#known.add(text))
    return fresh
  }
}

function outcomeOf(end: DeploymentDetail | undefined): string {
  if (end === undefined) {
    return 'never ended'
  }
  const more = [end.error?.code, end.outcome].filter(
    word => word && word !== 'deployed' && word !== end.state,
  )
  return [end.state, ...more].join(' ')
}

/** What went wrong, as far as it says. */
function reasonOf(end: DeploymentDetail | undefined): string {
  return end?.error?.message ?? ''
}
