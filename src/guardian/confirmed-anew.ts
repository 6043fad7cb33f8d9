import type { Firewall } from '#commands/firewall-data.ts'
import { CONFIRMED_OVER_OLD_CONNECTION } from '#commands/firewall-errors.ts'

/**
 * A change stays only when it is confirmed over another connection than it was told over: the kernel lets what is
 * connected go on, so only a new connection shows that the manager still gets in.
 */
export function confirmedAnew(firewall: Firewall): Firewall {
  let last: { readonly change: string; readonly link: number } | undefined
  return {
    observe: () => firewall.observe(),
    async apply(wanted, link) {
      const applied = await firewall.apply(wanted)
      last = applied.change === undefined || link === undefined ? undefined : { change: applied.change, link }
      return applied
    },
    async confirm(change, link) {
      if (last?.change === change && last.link === link) {
        throw CONFIRMED_OVER_OLD_CONNECTION()
      }
      await firewall.confirm(change)
    },
  }
}
