import type { Selectable, Transaction } from 'kysely'
import type { SeenContainer } from '#commands/host-observe.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import { driftMessage } from '#manager/notifications/message.ts'
import { noteMessage } from '#manager/outbox/note-message.ts'
import type { AppTable, Tables } from '#manager/store/tables.ts'
import type { Plan } from '#targets/target.ts'
import { type Baseline, completeBaseline, type SeenApp, takeBaseline } from './baseline.ts'
import { driftOf } from './drift.ts'
import { type DriftState, driftAfter, isQuiet, readDrift, repairStep } from './drift-state.ts'
import { hasMadeRoom } from './made-room.ts'

export type WatchedApp = Pick<
  Selectable<AppTable>,
  'id' | 'name' | 'overrides' | 'baseline' | 'drift' | 'on_drift' | 'stopped_at'
>

export interface Look {
  readonly app: WatchedApp
  readonly seen: SeenApp
  /** What was seen at the look before. */
  readonly before: readonly SeenContainer[]
  /** When the worker was asked, and now; ms since 1970. */
  readonly askedAt: number
  readonly now: number
}

/** What changed about an app's drift, for the events and the log. */
export interface DriftNews {
  readonly app: string
  readonly state: 'drifted' | 'drift-ended' | 'repairing' | 'drift-given-up'
  readonly reason: string
  /** Repairs lately. */
  readonly repairs: number
}

/**
 * Compares what was seen of an app with what its last deployment left, writes the difference down, and requests a
 * repair where the app wants one. Judges nothing while a deployment of the app is at work.
 */
export async function watchDrift(
  context: DeploymentsContext & { readonly db: Transaction<Tables> },
  look: Look,
): Promise<readonly DriftNews[]> {
  const { app, seen, now } = look
  if (app.stopped_at !== null) {
    // Nothing of it is to run, and what its next deployment leaves is what counts.
    return []
  }
  const old = readDrift(app)
  const known = readBaseline(app)
  const applied = await lastApplied(context.db, app.id, known?.deployment)
  if (applied && applied.finishedAt > look.askedAt) {
    // Seen before it ended: the next look tells.
    return []
  }
  if (
    (await isAtWork(context.db, app.id, look.askedAt)) ||
    (await hasMadeRoom(context.db, app.id, {
      askedAt: look.askedAt,
      since: applied?.id ?? known?.deployment,
    }))
  ) {
    return []
  }
  const baseline = applied
    ? takeBaseline(seen, applied.id, {
        baseline: known,
        findings: old.findings,
        mustRun: applied.mustRun,
      })
    : known && completeBaseline(known, seen)
  if (!baseline) {
    return []
  }
  // Somebody deployed: what was tried before does not count any more.
  const given = applied && !applied.isRepair ? { ...old, repairs: [], givenUpAt: null } : old
  const findings = driftOf(baseline, seen, { containers: look.before, findings: old.findings })
  const { state, news } = await react(context, look, { before: given, now: driftAfter(given, findings, now) })
  await store(context.db, app, { baseline, isNew: baseline !== known, state })
  const all = [...begunOrEnded(look, old, state), ...news]
  for (const each of all) {
    await noteMessage(context, driftMessage(each, now))
  }
  return all
}

export function readBaseline({ baseline }: Pick<WatchedApp, 'baseline'>): Baseline | undefined {
  return baseline === null ? undefined : (JSON.parse(baseline) as Baseline)
}

/** What is done about drift: what was set for the app, else what its deploy file said last. */
export function driftPolicy({
  overrides,
  on_drift,
}: Pick<WatchedApp, 'overrides' | 'on_drift'>): 'report' | 'repair' {
  const { drift } = JSON.parse(overrides) as { drift?: unknown }
  return drift === 'report' || drift === 'repair' ? drift : on_drift
}

interface Applied {
  readonly id: string
  readonly finishedAt: number
  readonly isRepair: boolean
  readonly mustRun: readonly string[]
}

/** The last deployment that changed what runs, when the baseline is not of it yet. */
async function lastApplied(
  db: Transaction<Tables>,
  appId: string,
  known: string | undefined,
): Promise<Applied | undefined> {
  const row = await db
    .selectFrom('deployments')
    .innerJoin('steps', 'steps.deployment_id', 'deployments.id')
    .select(['deployments.id', 'deployments.finished_at', 'deployments.trigger', 'deployments.plan'])
    .where('deployments.app_id', '=', appId)
    .where('deployments.id', '>', known ?? '')
    .where('deployments.finished_at', 'is not', null)
    // One that left things halfway is nothing to measure by. Of some it is not known how they ended.
    .where(eb =>
      eb.or([eb('deployments.outcome', 'is', null), eb('deployments.outcome', '<>', 'return-incomplete')]),
    )
    .where('steps.name', '=', 'apply')
    .orderBy('deployments.id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && row.finished_at !== null
    ? {
        id: row.id,
        finishedAt: row.finished_at,
        isRepair: (JSON.parse(row.trigger) as { kind: string }).kind === 'drift',
        mustRun: plannedToRun(row.plan),
      }
    : undefined
}

/** What the plan had proved to run, where it names services. */
function plannedToRun(plan: string | null): readonly string[] {
  const { verify = [] } = JSON.parse(plan ?? '{}') as Partial<Plan>
  return verify.flatMap(({ data }) => (Array.isArray(data.mustRun) ? data.mustRun.map(String) : []))
}

/** A deployment ran while the worker looked, or runs now. One that waits for a person changes nothing. */
async function isAtWork(db: Transaction<Tables>, appId: string, askedAt: number): Promise<boolean> {
  const row = await db
    .selectFrom('deployments')
    .select('id')
    .where('app_id', '=', appId)
    .where(eb => eb.or([eb('state', '=', 'running'), eb('finished_at', '>', askedAt)]))
    .where('started_at', 'is not', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

async function react(
  context: DeploymentsContext & { readonly db: Transaction<Tables> },
  { app, now }: Look,
  drift: { readonly before: DriftState; readonly now: DriftState },
): Promise<{ readonly state: DriftState; readonly news: readonly DriftNews[] }> {
  const state = drift.now
  const [first] = state.findings
  const step = driftPolicy(app) === 'repair' ? repairStep(state) : 'none'
  if (step === 'none' || !first) {
    return { state, news: [] }
  }
  const release = await repairable(context.db, app.id)
  if (release === undefined) {
    return { state, news: [] }
  }
  const about = { app: app.name, reason: first.reason, repairs: state.repairs.length }
  if (step === 'give-up') {
    return { state: { ...state, givenUpAt: now }, news: [{ ...about, state: 'drift-given-up' }] }
  }
  const others = state.findings.length > 1 ? ` (and ${state.findings.length - 1} more)` : ''
  await requestDeployment(context, {
    appId: app.id,
    kind: 'deploy',
    trigger: { kind: 'drift', by: 'drift', detail: `${first.reason}${others}` },
    release,
  })
  return {
    state: { ...state, repairs: [...state.repairs, now] },
    news: [{ ...about, state: 'repairing', repairs: state.repairs.length + 1 }],
  }
}

/** The release that runs; undefined while somebody asked for something else, or for the end of the app. */
async function repairable(db: Transaction<Tables>, appId: string): Promise<string | undefined> {
  const last = await db
    .selectFrom('deployments')
    .select(['kind', 'state'])
    .where('app_id', '=', appId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!last || last.kind === 'remove' || ['queued', 'running'].includes(last.state)) {
    return undefined
  }
  const release = await db
    .selectFrom('releases')
    .select('id')
    .where('app_id', '=', appId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return release?.id
}

interface Kept {
  readonly baseline: Baseline
  readonly isNew: boolean
  readonly state: DriftState
}

/** Only what changed is written: a quiet host stays quiet. */
async function store(db: Transaction<Tables>, app: WatchedApp, { baseline, isNew, state }: Kept) {
  const drift = isQuiet(state) ? null : JSON.stringify(state)
  if (drift !== app.drift || isNew) {
    await db
      .updateTable('apps')
      .set({ drift, ...(isNew ? { baseline: JSON.stringify(baseline) } : {}) })
      .where('id', '=', app.id)
      .execute()
  }
}

function begunOrEnded(
  { app, now }: Look,
  before: DriftState,
  { findings, repairs }: DriftState,
): DriftNews[] {
  const begun = findings.filter(each => each.since === now)
  const about = { app: app.name, repairs: repairs.length }
  if (begun.length > 0) {
    return [{ ...about, state: 'drifted', reason: begun.map(each => each.reason).join('; ') }]
  }
  return findings.length === 0 && before.findings.length > 0
    ? [{ ...about, state: 'drift-ended', reason: 'everything is as the last deployment left it' }]
    : []
}
