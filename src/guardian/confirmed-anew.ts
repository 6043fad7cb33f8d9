import type { Firewall } from '#commands/firewall-data.ts'
import { CONFIRMED_OVER_OLD_CONNECTION } from '#commands/firewall-errors.ts'
import type { Clock } from '#lib/clock.ts'

/**
 * A change stays only when it is confirmed over a connection that was made with it in force: the kernel lets what is
 * connected go on, so only a new connection shows that the manager still gets in. One that was made before and only
 * proved itself afterwards shows nothing.
 */
export function confirmedAnew(firewall: Firewall, clock: Clock): Firewall {
  let last: { readonly change: string; readonly inForceAt: number } | undefined
  return {
    observe: () => firewall.observe(),
    async apply(wanted) {
      const applied = await firewall.apply(wanted)
      last =
        applied.change === undefined ? undefined : { change: applied.change, inForceAt: clock.monotonic() }
      return applied
    },
    async confirm(change, arrivedAt = Number.NEGATIVE_INFINITY) {
      if (last?.change === change && arrivedAt <= last.inForceAt) {
        throw CONFIRMED_OVER_OLD_CONNECTION()
      }
      await firewall.confirm(change)
    },
  }
}
