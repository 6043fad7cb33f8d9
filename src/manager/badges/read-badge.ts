import type { Kysely, Selectable } from 'kysely'
import { listArtifacts } from '#manager/artifacts/queries.ts'
import type { AppTable, Tables } from '#manager/store/tables.ts'
import type { Badge } from './badge.ts'

const UNKNOWN = { text: 'unknown', state: 'unknown' } as const

/** What the badge of an app says: the version of its newest artefact, or the commit that runs, and whether the last deployment ended well. Strangers learn nothing of an app whose badge is private, not even whether it is there. */
export async function readBadge(db: Kysely<Tables>, name: string): Promise<Omit<Badge, 'label'>> {
  const app = await db
    .selectFrom('apps')
    .select(['id', 'name', 'stopped_at'])
    .where('name', '=', name)
    .where('badge', '=', 'public')
    .executeTakeFirst()
  return app ? await stateOf(db, app) : UNKNOWN
}

async function stateOf(
  db: Kysely<Tables>,
  { id: appId, name, stopped_at }: Pick<Selectable<AppTable>, 'id' | 'name' | 'stopped_at'>,
): Promise<Omit<Badge, 'label'>> {
  const [[artifact], release, last] = await Promise.all([
    listArtifacts(db, { app: name, limit: 1 }),
    db
      .selectFrom('releases')
      .select(['commit', 'confirmed_commit'])
      .where('app_id', '=', appId)
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst(),
    db
      .selectFrom('deployments')
      .select('state')
      .where('app_id', '=', appId)
      .where('state', 'in', ['succeeded', 'failed'])
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst(),
  ])
  const version = artifact?.version ?? (release?.confirmed_commit ?? release?.commit)?.slice(0, 7)
  if (version !== undefined && stopped_at !== null) {
    return { text: `${version} · stopped`, state: 'unknown' }
  }
  if (last?.state === 'failed') {
    return { text: version === undefined ? 'failed' : `${version} · newer failed`, state: 'bad' }
  }
  return version === undefined ? { text: 'none yet', state: 'busy' } : { text: version, state: 'good' }
}
