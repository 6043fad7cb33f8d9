import { statSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { readDrift } from '#manager/observation/drift-state.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { DATABASE_FILE } from '#manager/store/database.ts'

export interface Figures {
  readonly deployments: Readonly<Record<string, number>>
  readonly queueOldestSeconds: number
  readonly apps: Readonly<Record<string, number>>
  readonly hosts: readonly { readonly host: string; readonly role: string; readonly isConnected: boolean }[]
  readonly commandsTold: number
  readonly outboxWaiting: number
  readonly outboxOldestSeconds: number
  readonly storeBytes: number
}

/** What is so at this moment, by queries over rows that have not ended: they stay few. */
export async function readFigures({
  db,
  clock,
  agents,
  config,
}: Pick<ManagerParts, 'db' | 'clock' | 'agents' | 'config'>): Promise<Figures> {
  const open = await db
    .selectFrom('deployments')
    .select(({ fn }) => ['state', fn.countAll<number>().as('count'), fn.min('created_at').as('first')])
    .where('state', 'in', ['queued', 'running', 'waiting'])
    .groupBy('state')
    .execute()
  const apps = await db.selectFrom('apps').select(['drift', 'paused_at', 'stopped_at']).execute()
  // By those of running deployments: all others have ended, and the table is long.
  const told = await db
    .selectFrom('commands')
    .innerJoin('deployments', 'deployments.id', 'commands.deployment_id')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('deployments.state', '=', 'running')
    .where('commands.state', '=', 'told')
    .executeTakeFirstOrThrow()
  const outbox = await db
    .selectFrom('outbox')
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.min('created_at').as('first')])
    .where('ended_at', 'is', null)
    .executeTakeFirstOrThrow()
  // Nobody connects to one that is revoked, though apps may still name it.
  const hosts = await db
    .selectFrom('hosts')
    .select(['name', 'role'])
    .where('revoked_at', 'is', null)
    .orderBy('name')
    .execute()
  const ageOf = (at: number | null | undefined) => (at ? Math.max(0, clock.now() - at) / 1000 : 0)
  return {
    deployments: { queued: 0, running: 0, waiting: 0, ...byState(open) },
    queueOldestSeconds: ageOf(open.find(({ state }) => state === 'queued')?.first),
    apps: {
      all: apps.length,
      drifted: apps.filter(app => readDrift(app).findings.length > 0).length,
      paused: apps.filter(({ paused_at }) => paused_at !== null).length,
      stopped: apps.filter(({ stopped_at }) => stopped_at !== null).length,
    },
    hosts: hosts.map(({ name, role }) => ({
      ...{ host: name, role },
      isConnected: agents.state(name)?.status === 'connected',
    })),
    commandsTold: told.count,
    outboxWaiting: outbox.count,
    outboxOldestSeconds: ageOf(outbox.first),
    storeBytes: config.database ? await sizeInServer(db) : sizeOfFile(config.data),
  }
}

async function sizeInServer(db: ManagerParts['db']): Promise<number> {
  const { rows } = await sql<{ bytes: string | number }>`
    select pg_database_size(current_database()) as bytes`.execute(db)
  return Number(rows[0]?.bytes)
}

function sizeOfFile(folder: string): number {
  return ['', '-wal']
    .map(end => statSync(join(folder, `${DATABASE_FILE}${end}`), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0)
}

function byState(
  rows: readonly { readonly state: string; readonly count: number }[],
): Record<string, number> {
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
}
