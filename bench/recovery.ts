import { allCases } from '../integration/crash/case.ts'
import { startCrashWorld } from '../integration/crash/crash-world.ts'
import { isWell } from '../integration/crash/report.ts'
import { Crashes } from '../integration/crash/run-case.ts'
import type { Figure } from './figure.ts'
import { median } from './median.ts'

const TIMES = 5

/** From a SIGKILL in the middle of a build to the end of the deployment, with the restart of what was killed. */
export async function measureRecovery(): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack()
  const crashes = new Crashes(await startCrashWorld(stack, { engine: 'shared' }))
  const builds = allCases().filter(
    ({ target, work, row, moment }) =>
      target === 'container' && work === 'deploy' && row === 'worker: image.build' && moment === 'after-row',
  )
  const figures: Figure[] = []
  for (const crash of builds.filter(({ victim }) => victim !== 'both')) {
    const samples: number[] = []
    for (let time = 0; time < TIMES; time++) {
      const result = await crashes.run(crash)
      if (!isWell(result)) {
        throw new Error(`not all was well after a kill of the ${crash.victim}: ${JSON.stringify(result)}`)
      }
      samples.push(result.recoveryMs)
    }
    figures.push({
      id: '',
      what: `kill -9 of the ${crash.victim} in a build: until the deployment has ended`,
      value: median(samples),
      unit: 'ms',
      target: '',
      samples,
      note: `median of ${TIMES}, nothing lost or left behind; with the start of the ${crash.victim}`,
    })
  }
  return figures
}
