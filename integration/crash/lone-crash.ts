import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import type { Remote } from '#world/system.ts'
import type { Victim } from './case.ts'
import { type CrashWorld, untilStopped } from './crash-world.ts'

/** A crash of a deployment that is looked at in a way of its own. */
export interface LoneCrash {
  readonly failpoint: string
  readonly victim: Victim
}

/** One of several crashes of an app in one world, each with a new version of it. */
export interface Attempt<Crash extends LoneCrash = LoneCrash> {
  readonly name: string
  readonly remote: Remote
  readonly version: number
  readonly crash: Crash
}

/** One after the other; what is wrong after each. */
export async function runEach<Crash extends LoneCrash>(
  crashes: readonly Crash[],
  { app, text, tell }: { app: Pick<Attempt, 'name' | 'remote'>; text: (crash: Crash) => string; tell: Tell },
  once: (attempt: Attempt<Crash>) => Promise<readonly string[]>,
): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = []
  for (const [index, crash] of crashes.entries()) {
    const wrong = await once({ ...app, version: index + 1, crash })
    found.push(wrong)
    tell([`${text(crash)} ${wrong.length === 0 ? 'ok' : ''}`, ...wrong].join('\n    '))
  }
  return found
}

export type Tell = (text: string) => void

const WITHIN_MS = 180_000
const LOOK_AGAIN_MS = 100

/** How it ended; undefined when it never did. The first word of what is wrong, if the crash did not happen. */
export async function crashWhile(
  world: CrashWorld,
  { failpoint, victim }: LoneCrash,
  ask: () => Promise<Pick<DeploymentDocument, 'id'>>,
): Promise<{ readonly end: DeploymentDetail | undefined; readonly missed: readonly string[] }> {
  await world.arm(failpoint)
  const { id } = await ask()
  const deadline = systemClock.monotonic() + WITHIN_MS
  const isOver = () => systemClock.monotonic() > deadline
  const isStopped = await untilStopped([world.manager, world.worker], isOver)
  await world.disarm()
  await world.crash(victim)
  return {
    end: await untilEnded(world, id),
    missed: isStopped ? [] : ['did not happen: nothing stopped there'],
  }
}

/** Undefined when it does not end. The manager may be away at first. */
async function untilEnded({ system }: CrashWorld, id: string): Promise<DeploymentDetail | undefined> {
  const deadline = systemClock.monotonic() + WITHIN_MS
  while (systemClock.monotonic() < deadline) {
    const asked = system.together().client.get<DeploymentDetail>(`/deployments/${id}`)
    const found = await asked.catch(() => undefined)
    if (found && found.finished_at !== null) {
      return found
    }
    await systemClock.sleep(LOOK_AGAIN_MS)
  }
  return undefined
}
