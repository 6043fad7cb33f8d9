import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'

/** What a deployment did, as its journal tells it; times in ms since 1970. */
export interface Trace {
  readonly deployment: string
  readonly app: string
  readonly host: string
  readonly kind: string
  readonly state: string
  readonly outcome: string | null
  readonly commit: string | null
  /** What asked for it: `webhook`, `person` … */
  readonly trigger: string
  /** Code of its error; null: it has none. */
  readonly error: string | null
  readonly from: number
  /** Null: it ended without having begun. */
  readonly startedAt: number | null
  readonly to: number
  readonly steps: readonly TracePart[]
  readonly commands: readonly TraceCommand[]
}

export interface TracePart {
  readonly name: string
  readonly state: string
  readonly error: string | null
  readonly from: number
  readonly to: number
}

export interface TraceCommand extends TracePart {
  readonly id: string
  readonly step: string
  readonly host: string
}

/** Undefined: it has not ended, or is gone with its app. Texts of errors stay here: a line of a build may be in them. */
export async function readTrace(db: Kysely<Tables>, id: string): Promise<Trace | undefined> {
  const row = await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select([
      'deployments.kind',
      'state',
      'outcome',
      'commit',
      'trigger',
      'error',
      'started_at',
      'finished_at',
    ])
    .select(['deployments.created_at', 'apps.name as app', 'apps.host'])
    .where('deployments.id', '=', id)
    .executeTakeFirst()
  if (row === undefined || row.finished_at === null) {
    return undefined
  }
  const to = row.finished_at
  const steps = await db
    .selectFrom('steps')
    .select(['name', 'state', 'error', 'started_at', 'finished_at'])
    .where('deployment_id', '=', id)
    .orderBy('position')
    .execute()
  const commands = await db
    .selectFrom('commands')
    .select(['id', 'step', 'command', 'host', 'state', 'created_at', 'finished_at'])
    .where('deployment_id', '=', id)
    .orderBy('created_at')
    .execute()
  return {
    deployment: id,
    app: row.app,
    host: row.host,
    kind: row.kind,
    state: row.state,
    outcome: row.outcome,
    commit: row.commit,
    trigger: String(JSON.parse(row.trigger).kind),
    error: codeOf(row.error),
    from: row.created_at,
    startedAt: row.started_at,
    to,
    steps: steps.map(({ name, state, error, started_at: from, finished_at: end }) => ({
      ...{ name, state, error: codeOf(error), from, to: end ?? to },
    })),
    commands: commands.map(({ id: command, step, host, state, ...each }) => ({
      ...{ id: command, name: each.command, step, host, state, error: null },
      ...{ from: each.created_at, to: each.finished_at ?? to },
    })),
  }
}

function codeOf(error: string | null): string | null {
  return error === null ? null : String((JSON.parse(error) as { readonly code?: unknown }).code)
}
