import type { Clock } from './clock.ts'

/** Says yes for each key once in so many ms, at first at once. Remembers the last time of each key for good: few keys. */
export function atMostEvery(clock: Pick<Clock, 'monotonic'>, ms: number): (key: string) => boolean {
  const last = new Map<string, number>()
  return key => {
    const now = clock.monotonic()
    const before = last.get(key)
    if (before !== undefined && now - before < ms) {
      return false
    }
    last.set(key, now)
    return true
  }
}
