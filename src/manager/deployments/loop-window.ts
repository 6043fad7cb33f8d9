/** Whoever does the same again and again within this time fights somebody. */
export const LOOP_WINDOW_MS = 10 * 60_000

/** Of these times those that are within it. */
export function lately(times: readonly number[], now: number): readonly number[] {
  return times.filter(at => now - at < LOOP_WINDOW_MS)
}
