import type { Checked } from './checked.ts'

/** What the agent of one host told of its time. */
export interface ToldClock {
  /** Its clock minus that of the manager. */
  readonly skewMs: number
  /** So much that something fails. */
  readonly isOff: boolean
}

/** The clock of the manager beside those of all agents: where most are off to the same side, it is rather its own. */
export function checkClock(told: readonly ToldClock[]): readonly Checked[] {
  if (told.length === 0) {
    return []
  }
  const found = { where: 'manager', name: 'clock' }
  const off = told.filter(({ isOff }) => isOff)
  const ahead = off.filter(({ skewMs }) => skewMs > 0).length
  const most = Math.max(ahead, off.length - ahead)
  if (most > 1 && most * 2 > told.length) {
    const side = most === ahead ? 'behind' : 'ahead of'
    return [
      {
        ...found,
        detail: `it is ${side} the clocks of ${most} of ${told.length} agents`,
        mend: 'Set the clock of the machine of the manager: let it take its time from a server (NTP).',
      },
    ]
  }
  const agreeing = told.length - off.length
  return [{ ...found, detail: `it agrees with those of ${agreeing} of ${told.length} agents`, mend: null }]
}
