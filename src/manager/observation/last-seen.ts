import type { Kysely, Selectable } from 'kysely'
import type { ObservedDocument } from '#contract/rest/apps.ts'
import type { Clock } from '#lib/clock.ts'
import type { AppTable, Tables } from '#manager/store/tables.ts'
import { readDrift } from './drift-state.ts'
import {
  engineProblemOf,
  faultSeen,
  type ObservedStatus,
  readObserved,
  runsNothing,
  statusOf,
} from './seen-state.ts'

type LookedAt = Pick<Selectable<AppTable>, 'name' | 'host' | 'engine' | 'observed' | 'drift' | 'target'>

/** What a deployment that ends without a look of its own can say of a released app: the last look at it, with its age. */
export async function lastSeen(
  { db, clock }: { readonly db: Kysely<Tables>; readonly clock: Clock },
  app: LookedAt,
): Promise<ObservedDocument> {
  const host = await db
    .selectFrom('hosts')
    .select(['observed_at', 'unseen', 'engines', 'systems_unseen', 'cluster'])
    .where('name', '=', app.host)
    .executeTakeFirst()
  const now = clock.now()
  const seen = statusOf(
    {
      ...{ observation: readObserved(app), isReleased: true, findings: readDrift(app).findings },
      runsNothing: runsNothing(app),
    },
    {
      // Its worker has just answered; how old the look is stands beside it.
      isConnected: true,
      observedAt: host?.observed_at ?? null,
      unseen: host?.unseen ? JSON.parse(host.unseen) : undefined,
      engineProblem: engineProblemOf({
        ...{ engine: app.engine, target: app.target, name: app.name, engines: host?.engines ?? null },
        ...{ systems_unseen: host?.systems_unseen ?? null, cluster: host?.cluster ?? null },
      }),
    },
    { now, everyMs: Number.POSITIVE_INFINITY },
  )
  return observedDocument(seen, now)
}

/** What the last look found that a deployment would mend; undefined when there is nothing, or nobody has looked yet. */
export function seenToMend(app: Omit<LookedAt, 'name' | 'host' | 'engine'>): string | undefined {
  if (runsNothing(app)) {
    return undefined
  }
  const { findings } = readDrift(app)
  const observation = readObserved(app)
  return findings[0]?.reason ?? (observation && faultSeen(observation.containers, findings))
}

export function observedDocument(
  { state, reason, at, containers }: ObservedStatus,
  now: number,
): ObservedDocument {
  return {
    state,
    reason,
    at: at === null ? null : new Date(at).toISOString(),
    age_seconds: at === null ? null : Math.max(0, Math.round((now - at) / 1000)),
    containers: containers.length,
  }
}
