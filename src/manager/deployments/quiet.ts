import type { DeployRequest } from './deployment.ts'

/** So long after the last request of a burst its deployment starts, … */
const QUIET_MS = 500
/** … but no later than so long after the first. */
const LONGEST_MS = 5000
/** A thousand requests a second must not mean a thousand writes. */
const GRAIN_MS = 50

/** Columns of a queued deployment: when it may start, and the latest of these times. Null: at once. */
export interface Quiet {
  readonly starts_at: number | null
  readonly starts_by: number | null
}

const AT_ONCE: Quiet = { starts_at: null, starts_by: null }

/**
 * What is asked for while the same app is at work, or again while it is queued, is one of a burst: it waits until no
 * more come, and takes the last. Requests alone start at once, and so do rollbacks, removals and repairs.
 */
export function quietFor(
  { kind, release }: Pick<DeployRequest, 'kind' | 'release'>,
  { now, queued, isRunning }: { now: number; queued: Quiet | undefined; isRunning: boolean },
): Quiet {
  if (kind !== 'deploy' || release !== undefined || !(queued || isRunning)) {
    return AT_ONCE
  }
  const startsBy = queued?.starts_by ?? now + LONGEST_MS
  return { starts_at: Math.min(now + QUIET_MS, startsBy), starts_by: startsBy }
}

/** Whether it is worth a write that a queued deployment waits so long instead. */
export function isLonger(quiet: Quiet, queued: Quiet): boolean {
  return (quiet.starts_at ?? 0) - (queued.starts_at ?? 0) >= GRAIN_MS
}

/** ms until it may start. Whoever sets the clock of the machine back does not hold it up. */
export function quietLeft(startsAt: number | null, now: number): number {
  const left = (startsAt ?? now) - now
  return left > LONGEST_MS ? 0 : Math.max(0, left)
}
