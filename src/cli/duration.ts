import { InvalidArgumentError } from 'commander'
import { readDuration } from '#lib/duration.ts'

/** A duration as people say it: `12 ms`, `1.4 s`, `2 min 5 s`. */
export function inWords(ms: number): string {
  if (ms < 1_000) {
    return `${Math.round(ms)} ms`
  }
  if (ms < 59_950) {
    return `${(ms / 1_000).toFixed(1)} s`
  }
  const seconds = Math.round(ms / 1_000)
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** How long ago an RFC 3339 time was: `now`, `12 s ago`, `3 h ago`, `5 d ago`. */
export function ago(time: string, now: number): string {
  const seconds = Math.round((now - Date.parse(time)) / 1_000)
  if (seconds < 2) {
    return 'now'
  }
  const units = [
    ['s', 60],
    ['min', 60],
    ['h', 24],
    ['d', Number.POSITIVE_INFINITY],
  ] as const
  let count = seconds
  for (const [unit, per] of units) {
    if (count < per) {
      return `${Math.floor(count)} ${unit} ago`
    }
    count /= per
  }
  return time
}

/** The milliseconds that an option such as `--timeout 20m` means. */
export function readTimeout(text: string): number {
  const ms = readDuration(text)
  if (ms === undefined || ms === 0) {
    throw new InvalidArgumentError('Expected a duration such as 90s, 20m or 1h.')
  }
  return ms
}
