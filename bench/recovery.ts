import { allCases } from '../integration/crash/case.ts'
import { startCrashWorld } from '../integration/crash/crash-world.ts'
import { runLeaderCrashes } from '../integration/crash/leader-crashes.ts'
import { isWell } from '../integration/crash/report.ts'
import { Crashes } from '../integration/crash/run-case.ts'
import { WITHOUT_POSTGRES } from '../integration/world/postgres-server.ts'
import type { Figure } from './figure.ts'
import { median } from './median.ts'

const TIMES = 5

/** From a SIGKILL in the middle of a deployment to its end. */
export async function measureRecovery(say: (text: string) => void): Promise<Figure[]> {
  return [...(await measureRestarts()), ...(await measureLeaders(say))]
}

/** With the restart of what was killed. */
async function measureRestarts(): Promise<Figure[]> {
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

/** Of two managers on PostgreSQL the one that leads is killed, and the other one takes its deployment over. */
async function measureLeaders(say: (text: string) => void): Promise<Figure[]> {
  if (WITHOUT_POSTGRES) {
    say(`two managers: nothing is measured, ${WITHOUT_POSTGRES}`)
    return []
  }
  const crash = { failpoint: 'manager build image.build after-row', fate: 'killed' } as const
  const outcomes = await runLeaderCrashes(Array.from({ length: TIMES }, () => crash))
  const wrong = outcomes.flatMap(outcome => outcome.wrong)
  if (wrong.length > 0) {
    throw new Error(`not all was well after a kill of the leader: ${wrong.join('; ')}`)
  }
  const figure = (what: string, samples: readonly number[]) => ({
    ...{ id: '', what: `kill -9 of the leader of two managers in a build: ${what}` },
    ...{ value: median(samples), unit: 'ms' as const, target: '', samples },
    note: `median of ${TIMES}, longest ${Math.max(...samples)} ms, nothing lost or begun twice`,
  })
  return [
    {
      ...figure(
        'until the other one led',
        outcomes.map(({ ledMs }) => ledMs),
      ),
      target: '<= 10000',
    },
    figure(
      'until the deployment has ended',
      outcomes.map(({ ledMs, finishedMs }) => ledMs + finishedMs),
    ),
  ]
}
