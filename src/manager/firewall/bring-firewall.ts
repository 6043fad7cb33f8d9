import { firewallApply, firewallConfirm } from '#commands/firewall.ts'
import type { AppliedFirewall } from '#commands/firewall-data.ts'
import { OPENING_FORBIDDEN } from '#commands/firewall-errors.ts'
import { newId } from '#lib/id.ts'
import type { TellOptions } from '#manager/agents/tell.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import type { AppOpening } from './openings.ts'
import { type RefusedOpening, wantedOpenings, withoutForbidden } from './wanted-openings.ts'

const CONFIRM_WITHIN_MS = 60_000
const CONNECTED_WITHIN_MS = CONFIRM_WITHIN_MS / 2

/** Who is bringing a guardian's firewall now; the next one waits, and reads what is wanted only then. */
const turns = new Map<string, Promise<unknown>>()

export interface BroughtFirewall extends AppliedFirewall {
  /** What was left out, so that all else is done: closing ports above all. */
  readonly refused: readonly RefusedOpening[]
}

/**
 * Brings the firewall that a guardian keeps to what all apps want there now, and confirms it over a new connection: had
 * the change cut the manager off, it would be undone. Saying it twice changes nothing.
 */
export async function bringFirewall(
  parts: Pick<PipelineParts, 'db' | 'agents'>,
  guardian: string,
  options: Pick<TellOptions, 'waitMs' | 'signal'>,
): Promise<BroughtFirewall> {
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
): Promise<BroughtFirewall> {
  const apply = async (of: readonly AppOpening[]) => {
    const openings = of.map(({ app: _, ...opening }) => opening)
    return (await agents.tell(guardian, {
      ...{ id: newId(), command: firewallApply.name, deadlineMs: firewallApply.deadlineMs },
      params: { openings, confirmWithinMs: CONFIRM_WITHIN_MS },
      ...options,
    })) as AppliedFirewall
  }
  const wanted = await wantedOpenings(db, guardian)
  const { applied, refused } = await apply(wanted.openings).then(
    applied => ({ applied, refused: wanted.refused }),
    async error => {
      const left = OPENING_FORBIDDEN.matches(error) && withoutForbidden(wanted.openings, error)
      if (!left) {
        throw error
      }
      const refused = [...wanted.refused, ...left.refused]
      return { applied: await apply(left.openings), refused }
    },
  )
  if (applied.change !== undefined) {
    await agents.reconnect(guardian)
    await agents.tell(guardian, {
      ...{ id: newId(), command: firewallConfirm.name, deadlineMs: firewallConfirm.deadlineMs },
      params: { change: applied.change },
      ...options,
      // It was there a moment ago: the way of the new connection may be a slow one.
      waitMs: Math.max(options.waitMs ?? 0, CONNECTED_WITHIN_MS),
    })
  }
  return { ...applied, refused }
}
