import type { Kysely, Selectable } from 'kysely'
import type { SystemQuotaTable } from '#manager/store/system-tables.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { SystemSettings } from '#targets/system-settings.ts'
import { QUOTA_EXCEEDED } from './errors.ts'
import type { Owner } from './owners.ts'
import { settingsIn } from './queries.ts'

type Db = Kysely<Tables>
export type Quota = Omit<Selectable<SystemQuotaTable>, 'kind' | 'name'>

/** Stands for whoever has no quota of their own. */
export const EVERYBODY = '*'

const WORDS: Readonly<Record<keyof Quota, string>> = {
  systems: 'systems',
  cpus: 'processors',
  memory_bytes: 'bytes of memory',
  disk_bytes: 'bytes of disk',
  ports: 'ports',
}

/** What people have who are no admins, until an admin has said how much it is. */
const MODEST: Quota = {
  systems: 1,
  cpus: 2,
  memory_bytes: 4 * 2 ** 30,
  disk_bytes: 40 * 2 ** 30,
  ports: 8,
}

interface Want {
  readonly appId: string
  readonly owner: Owner
  readonly host: string
  readonly settings: SystemSettings
  /** What its owner had of it until now: whatever does not grow is not refused, however small the quota has become. */
  readonly before?: SystemSettings | undefined
}

/** QUOTA_EXCEEDED when its owner or its host would have more than they may. Stopped systems count as those that run. */
export async function refuseOverQuota(db: Db, { appId, owner, host, settings, before }: Want): Promise<void> {
  const all = await db
    .selectFrom('systems')
    .innerJoin('apps', 'apps.id', 'systems.app_id')
    .select(['systems.owner', 'apps.host', 'apps.overrides'])
    .where('systems.app_id', '!=', appId)
    .execute()
  const sides = [
    { kind: 'person', id: owner.id, name: owner.name, with: all.filter(each => each.owner === owner.id) },
    { kind: 'host', id: host, name: host, with: all.filter(each => each.host === host) },
  ] as const
  for (const side of sides) {
    const quota = await quotaOf(db, side)
    const others = side.with.map(settingsIn)
    const used = usedBy([settings, ...others])
    const had = before && usedBy([before, ...others])
    for (const [key, most] of Object.entries(quota ?? {}) as [keyof Quota, number | null][]) {
      // A disk without a limit may take all there is.
      const wanted = used[key]
      if (most !== null && wanted > most && wanted > (had?.[key] ?? 0)) {
        throw QUOTA_EXCEEDED(`${side.kind} "${side.name}"`, WORDS[key], wanted, most)
      }
    }
  }
}

async function quotaOf(
  db: Db,
  { kind, id }: { readonly kind: 'person' | 'host'; readonly id: string },
): Promise<Quota | undefined> {
  const rows = await db
    .selectFrom('system_quotas')
    .selectAll()
    .where('kind', '=', kind)
    .where('name', 'in', [id, EVERYBODY])
    .execute()
  const row = rows.find(each => each.name === id) ?? rows[0]
  if (!row) {
    return kind === 'person' && (await isMember(db, id)) ? MODEST : undefined
  }
  const { kind: _, name: __, ...quota } = row
  return quota
}

async function isMember(db: Db, id: string): Promise<boolean> {
  const person = await db.selectFrom('people').select('role').where('id', '=', id).executeTakeFirst()
  return person !== undefined && person.role !== 'admin'
}

export async function setQuota(
  db: Db,
  { kind, id }: { readonly kind: 'person' | 'host'; readonly id: string },
  quota: Quota,
): Promise<void> {
  await db
    .insertInto('system_quotas')
    .values({ kind, name: id, ...quota })
    .onConflict(conflict => conflict.columns(['kind', 'name']).doUpdateSet(quota))
    .execute()
}

export function usedBy(all: readonly SystemSettings[]): Record<keyof Quota, number> {
  const sum = (of: (each: SystemSettings) => number) => all.reduce((total, each) => total + of(each), 0)
  return {
    systems: all.length,
    cpus: sum(each => each.cpus),
    memory_bytes: sum(each => each.memory_bytes),
    disk_bytes: sum(each => each.disk_bytes ?? Number.POSITIVE_INFINITY),
    ports: sum(each => each.ports.length),
  }
}
