import type { Kysely, Selectable } from 'kysely'
import { readDrift } from '#manager/observation/drift-state.ts'
import {
  engineProblemOf,
  type ObservedStatus,
  readObserved,
  runsNothing,
  statusOf,
} from '#manager/observation/seen-state.ts'
import type { ManagerParts } from '#manager/parts.ts'
import type { AppTable, Tables } from '#manager/store/tables.ts'
import type { AppRecord } from './queries.ts'

/** How the app does, as far as anybody can see now. */
export function statusOfApp(
  { agents, clock, config }: Pick<ManagerParts, 'agents' | 'clock' | 'config'>,
  app: AppRecord,
): ObservedStatus {
  if (app.stack !== null) {
    const reason = 'it is a folder of its host, whose containers are not watched'
    return { state: 'unknown', reason, at: null, containers: [] }
  }
  return statusOf(
    {
      observation: readObserved(app),
      isReleased: app.release !== undefined,
      isStopped: app.stopped_at !== null,
      releasedAt: app.release?.created_at,
      runsNothing: runsNothing(app),
      findings: readDrift(app).findings,
    },
    {
      isConnected: agents.state(app.host)?.status === 'connected',
      observedAt: app.observed_at,
      unseen: app.unseen === null ? undefined : JSON.parse(app.unseen),
      engineProblem: engineProblemOf(app),
    },
    { now: clock.now(), everyMs: config.observeMs },
  )
}

/** What was seen of an app last: by looking since its last deployment, else at the end of that one. */
export async function readObservation(
  db: Kysely<Tables>,
  app: Pick<Selectable<AppTable>, 'id' | 'observed'>,
): Promise<{ observed: unknown; deployment: string | null }> {
  if (app.observed !== null) {
    return { observed: JSON.parse(app.observed), deployment: null }
  }
  const last = await db
    .selectFrom('deployments')
    .select(['id', 'evidence'])
    .where('app_id', '=', app.id)
    .where('state', '=', 'succeeded')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return { observed: last?.evidence ? JSON.parse(last.evidence) : null, deployment: last?.id ?? null }
}
