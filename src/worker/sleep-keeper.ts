import type { Hands } from '#commands/command.ts'
import { endUnused } from '#commands/container-earlier.ts'
import { putToSleep } from '#commands/container-sleep.ts'
import { background } from '#lib/background.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'

const LOOK_EVERY_MS = 60_000

export interface SleepKeeperOptions {
  readonly hands: Hands
  readonly clock: Clock
  readonly logger: Logger
}

/** Looks every minute which containers nobody works with. Goes on when the engine could not be asked. */
export function keepSleep({ hands, clock, logger }: SleepKeeperOptions): { close(): void } {
  let isLooking = false
  return clock.every(LOOK_EVERY_MS, () => {
    if (isLooking) {
      return
    }
    isLooking = true
    const look = endUnused(hands)
      .then(() => putToSleep(hands))
      .then(apps => apps.length > 0 && logger.info('worker.asleep', { apps: apps.join(', ') }))
      .finally(() => {
        isLooking = false
      })
    background(look, error => logger.warn('worker.sleep-failed', { reason: error.message }))
  })
}
