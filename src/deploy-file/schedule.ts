import { Cron } from 'croner'

/** When an app is deployed by itself: a cron expression of five parts, in the time of a place. */
export interface Schedule {
  readonly cron: string
  readonly time_zone: string
}

export interface WrittenSchedule {
  readonly cron: string
  readonly time_zone?: string
}

/** What is wrong with a schedule whose form is right. */
export interface ScheduleFault {
  readonly key: keyof Schedule
  readonly message: string
  readonly expected: string
}

export function scheduleFrom({ cron, time_zone = 'UTC' }: WrittenSchedule): Schedule {
  return { cron, time_zone }
}

/** The first time after this one, both in ms since 1970; undefined when there is none any more. */
export function nextTime({ cron, time_zone: timezone }: Schedule, after: number): number | undefined {
  // Of a time that a change of the clocks leaves out, the moment after; of one that comes twice, the first.
  const times = new Cron(cron, { timezone, paused: true, mode: '5-part' })
  return times.nextRun(new Date(after))?.getTime()
}

/** Whether there is such a time zone, and whether the time ever comes. */
export function scheduleFault(written: WrittenSchedule): ScheduleFault | undefined {
  const schedule = scheduleFrom(written)
  if (!isTimeZone(schedule.time_zone)) {
    const message = `"${schedule.time_zone}" is no time zone`
    return { key: 'time_zone', message, expected: 'a name such as Europe/Helsinki' }
  }
  const message = whyNever(schedule)
  const expected = 'minute, hour, day of the month, month and day of the week, such as 0 4 * * 1'
  return message === undefined ? undefined : { key: 'cron', message, expected }
}

function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }) !== undefined
  } catch {
    return false
  }
}

function whyNever(schedule: Schedule): string | undefined {
  try {
    return nextTime(schedule, 0) === undefined ? `"${schedule.cron}" never comes` : undefined
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return `"${schedule.cron}" is no time: ${reason.replace(/^CronPattern: /, '')}`
  }
}
