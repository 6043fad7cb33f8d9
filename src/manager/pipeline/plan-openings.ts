import { asOpenings, openPorts } from '#firewall/open-ports.ts'
import { type Opening, writeOpening } from '#firewall/opening.ts'
import type { Plan, ReleaseFacts } from '#targets/target.ts'

/** Part of the plan and of the release, so that who approves it agrees to what is opened, and to going back to it. */
export function withOpenings(
  plan: Plan,
  wanted: readonly Opening[],
  previous: Pick<ReleaseFacts, 'content'> | undefined,
): Plan {
  const opens = asOpenings(openPorts(wanted))
  const before = (previous?.content.opens ?? []) as readonly Opening[]
  if (opens.length === 0 && before.length === 0) {
    return plan
  }
  const [now, old] = [opens, before].map(list => list.map(writeOpening)) as [string[], string[]]
  const closed = old.filter(text => !now.includes(text))
  const opened = now.filter(text => !old.includes(text))
  const why = 'in the firewall of the host'
  return {
    ...plan,
    opens,
    closes: closed.length > 0,
    release: { ...plan.release, opens },
    changes: [
      ...plan.changes,
      ...opened.map(what => ({ kind: 'open', what, why }) as const),
      ...closed.map(what => ({ kind: 'close', what, why }) as const),
    ],
    nothingToDo: plan.nothingToDo && opened.length === 0 && closed.length === 0,
  }
}
