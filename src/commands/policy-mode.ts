import { modeBanner } from '#policy/mode.ts'
import type { Hands } from './command.ts'

/** Once per command that judges files: nobody shall take silence for a check. */
export function sayMode(hands: Hands): void {
  const banner = modeBanner(hands.host.policy.mode)
  if (banner !== undefined) {
    hands.say(banner, 'stderr')
  }
}
