import { nextTime, type Schedule } from '#deploy-file/schedule.ts'

/** What an app's row keeps of its schedule. */
export function scheduleOf({ schedule }: { readonly schedule: string | null }): Schedule | undefined {
  return schedule === null ? undefined : (JSON.parse(schedule) as Schedule)
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
