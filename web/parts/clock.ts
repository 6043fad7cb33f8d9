import { onScopeDispose, shallowRef } from 'vue'

const now = shallowRef(Date.now())
let users = 0
let timer: ReturnType<typeof setInterval> | undefined

/** The time, one tick a second for all that shows it. */
export function useNow() {
  users++
  now.value = Date.now()
  timer ??= setInterval(() => {
    now.value = Date.now()
  }, 1000)
  onScopeDispose(() => {
    users--
    if (users === 0) {
      clearInterval(timer)
      timer = undefined
    }
  })
  return now
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' })

/** `5 min. ago`, `in 2 hr.`, `just now`. */
export function relativeTime(time: string, nowMs: number): string {
  const seconds = (Date.parse(time) - nowMs) / 1000
  const found = UNITS.find(([, size]) => Math.abs(seconds) >= size)
  return found ? RELATIVE.format(Math.round(seconds / found[1]), found[0]) : 'just now'
}

/** The whole time with its zone, as the reader's device has it. */
export function fullTime(time: string): string {
  return new Intl.DateTimeFormat('en', {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  }).format(new Date(time))
}

/** `840 ms`, `4.2 s`, `3 min 5 s`, `5 min`, `2 h 4 min`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (ms < 1000) {
    return `${Math.max(0, Math.round(ms))} ms`
  }
  if (ms < 60_000) {
    return `${(ms / 1000).toFixed(1)} s`
  }
  return seconds < 3600
    ? both(`${Math.floor(seconds / 60)} min`, seconds % 60, 's')
    : both(`${Math.floor(seconds / 3600)} h`, Math.floor((seconds % 3600) / 60), 'min')
}

function both(most: string, rest: number, unit: string): string {
  return rest === 0 ? most : `${most} ${rest} ${unit}`
}
