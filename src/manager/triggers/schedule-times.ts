import { Cron } from 'croner'
import { SETTINGS_INVALID } from '#manager/pipeline/errors.ts'

/** When an app is deployed by itself: a cron expression of five parts, in the time of a place. */
export interface Schedule {
  readonly cron: string
  readonly time_zone: string
}

/** The schedule as a deploy file has it, or SETTINGS_INVALID when it is none. */
export function readSchedule(
  written: { readonly cron: string; readonly time_zone?: string },
  app: string,
): Schedule {
  const schedule = { cron: written.cron, time_zone: written.time_zone ?? 'UTC' }
  const problem = problemOf(schedule)
  if (problem !== undefined) {
    throw SETTINGS_INVALID(`the app "${app}"`, `schedule: ${problem}`)
  }
  return schedule
}

/** What an app's row keeps of its schedule. */
export function scheduleOf({ schedule }: { readonly schedule: string | null }): Schedule | undefined {
  return schedule === null ? undefined : (JSON.parse(schedule) as Schedule)
}

/** The first time after this one, both in ms since 1970; undefined when there is none any more. */
export function nextTime(schedule: Schedule, after: number): number | undefined {
  return cronOf(schedule).nextRun(new Date(after))?.getTime()
}

/** The last time after `from` and until `to`. */
export function lastTime(schedule: Schedule, { from, to }: { from: number; to: number }): number | undefined {
  let last: number | undefined
  for (let time = nextTime(schedule, from); time !== undefined && time <= to; ) {
    last = time
    time = nextTime(schedule, time)
  }
  return last
}

function problemOf(schedule: Schedule): string | undefined {
  try {
    return nextTime(schedule, 0) === undefined ? 'its time never comes' : undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Of a time that a change of the clocks leaves out, the moment after; of one that comes twice, the first. */
function cronOf({ cron, time_zone: timezone }: Schedule): Cron {
  return new Cron(cron, { timezone, paused: true, mode: '5-part' })
}
