import { routeExpel } from '#commands/route-expel.ts'
import type { Timer } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { repeat } from '#lib/repeat.ts'
import { AGENT_OFFLINE } from '#manager/agents/errors.ts'
import { unknownCommands } from '#manager/agents/unknown-commands.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { VISITS_GO_ON } from './errors.ts'

/** Between a revocation and its effect. */
const EVERY_MS = 5_000
const AT_ONCE = 1_000
/** A host that does not do it is named again. */
const TOLD_EVERY_MS = 3_600_000

type Parts = Pick<ManagerParts, 'db' | 'agents' | 'clock' | 'logger'>

/** Tells hosts again and again whose visits are over, until each has heard it. */
export function startEndingVisits(parts: Parts): Timer {
  const told = new Map<string, number>()
  return repeat(parts.clock, EVERY_MS, {
    work: () => endVisits(parts, told),
    onError: error => parts.logger.warn('visits.not-ended', { reason: error.message }),
  })
}

/**
 * Ends the visits of tokens and sessions that are gone, at every host that let them in. `told`: when the log named a
 * host that does not end them, by host.
 */
export async function endVisits(parts: Parts, told = new Map<string, number>()): Promise<void> {
  const { db, clock } = parts
  const over = await endedVisits(parts)
  for (const host of new Set(over.map(each => each.host))) {
    const visitors = over.filter(each => each.host === host).map(each => each.visitor)
    if (await expel(parts, host, { visitors, told })) {
      await db.deleteFrom('visits').where('host', '=', host).where('visitor', 'in', visitors).execute()
    }
  }
  await db.deleteFrom('visits').where('until', '<=', clock.now()).execute()
}

async function endedVisits({ db, clock }: Parts): Promise<{ visitor: string; host: string }[]> {
  const now = clock.now()
  return await db
    .selectFrom('visits')
    .select(['visitor', 'host'])
    .where('until', '>', now)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('tokens')
            .leftJoin('people', 'people.id', 'tokens.person_id')
            .select('tokens.id')
            .whereRef('tokens.id', '=', 'visits.visitor')
            .where(eb => eb.or([eb('tokens.expires_at', 'is', null), eb('tokens.expires_at', '>', now)]))
            .where('people.disabled_at', 'is', null),
        ),
      ),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('sessions')
            .innerJoin('people', 'people.id', 'sessions.person_id')
            .select('sessions.id')
            .whereRef('sessions.id', '=', 'visits.visitor')
            .where('sessions.ends_at', '>', now)
            .where('people.disabled_at', 'is', null),
        ),
      ),
    )
    .limit(AT_ONCE)
    .execute()
}

interface Expelled {
  readonly visitors: readonly string[]
  readonly told: Map<string, number>
}

/** Whether the host has heard it, or is none any more; one that is away is asked the next time. */
async function expel(parts: Parts, host: string, { visitors, told }: Expelled): Promise<boolean> {
  const { db, agents } = parts
  const known = await db.selectFrom('hosts').select('name').where('name', '=', host).executeTakeFirst()
  if (!known) {
    return true
  }
  const { name: command, deadlineMs } = routeExpel
  try {
    if (unknownCommands(agents, host, [command]).length > 0) {
      throw VISITS_GO_ON(host, visitors.length)
    }
    await agents.tell(host, { id: newId(), command, params: { visitors }, deadlineMs, waitMs: 0 })
    told.delete(host)
    return true
  } catch (thrown) {
    // That it is away is told elsewhere.
    if (!AGENT_OFFLINE.matches(thrown)) {
      warn(parts, host, { visitors, told, thrown })
    }
    return false
  }
}

function warn(
  { clock, logger }: Parts,
  host: string,
  { visitors, told, thrown }: Expelled & { readonly thrown: unknown },
): void {
  const now = clock.now()
  if (now - (told.get(host) ?? Number.NEGATIVE_INFINITY) < TOLD_EVERY_MS) {
    return
  }
  told.set(host, now)
  const { code, message, hint } = asFairleadError(thrown)
  logger.warn('visits.not-ended', { host, visitors: visitors.length, code, message, hint })
}
