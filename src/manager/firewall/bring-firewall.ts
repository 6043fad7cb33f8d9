import { firewallApply, firewallConfirm } from '#commands/firewall.ts'
import type { AppliedFirewall } from '#commands/firewall-data.ts'
import { asOpenings, openPorts } from '#firewall/open-ports.ts'
import { newId } from '#lib/id.ts'
import type { TellOptions } from '#manager/agents/tell.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { withNetworks } from './address-lists.ts'
import { openingsAt } from './openings.ts'

const CONFIRM_WITHIN_MS = 60_000

/** Who is bringing a guardian's firewall now; the next one waits, and reads what is wanted only then. */
const turns = new Map<string, Promise<unknown>>()

/**
 * Brings the firewall that a guardian keeps to what all apps want there now, and confirms it over a new connection: had
 * the change cut the manager off, it would be undone. Saying it twice changes nothing.
 */
export async function bringFirewall(
  parts: Pick<PipelineParts, 'db' | 'agents'>,
  guardian: string,
  options: Pick<TellOptions, 'waitMs' | 'signal'>,
): Promise<AppliedFirewall> {
  const before = turns.get(guardian)
  const turn = (before ?? Promise.resolve())
    .catch(() => undefined)
    .then(() => bring(parts, guardian, options))
  turns.set(guardian, turn)
  try {
    return await turn
  } finally {
    if (turns.get(guardian) === turn) {
      turns.delete(guardian)
    }
  }
}

async function bring(
  { db, agents }: Pick<PipelineParts, 'db' | 'agents'>,
  guardian: string,
  options: Pick<TellOptions, 'waitMs' | 'signal'>,
): Promise<AppliedFirewall> {
  const openings = asOpenings(openPorts(await withNetworks(db, await openingsAt(db, guardian))))
  const applied = (await agents.tell(guardian, {
    ...{ id: newId(), command: firewallApply.name, deadlineMs: firewallApply.deadlineMs },
    params: { openings, confirmWithinMs: CONFIRM_WITHIN_MS },
    ...options,
  })) as AppliedFirewall
  if (applied.change !== undefined) {
    await agents.reconnect(guardian)
    await agents.tell(guardian, {
      ...{ id: newId(), command: firewallConfirm.name, deadlineMs: firewallConfirm.deadlineMs },
      params: { change: applied.change },
      ...options,
    })
  }
  return applied
}
