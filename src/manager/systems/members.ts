import type { SeenCluster } from '#contract/cluster.ts'
import type { MemberChangeDocument, MemberDocument } from '#contract/rest/system-members.ts'
import type { SystemDocument } from '#contract/rest/systems.ts'
import type { ManagerParts } from '#manager/parts.ts'
import type { MemberChangeRow } from './member-changes.ts'

interface Shown {
  readonly systems: readonly Pick<SystemDocument, 'name' | 'host' | 'member'>[]
  /** Also who asked for changes and why they failed, which names systems of others. */
  readonly isWhole: boolean
}

/** The members of all clusters, as they were last seen, with which of these systems are where. */
export async function listMembers(
  { db }: Pick<ManagerParts, 'db'>,
  { systems, isWhole }: Shown,
): Promise<MemberDocument[]> {
  const hosts = await db
    .selectFrom('hosts')
    .select(['name', 'cluster'])
    .where('cluster', 'is not', null)
    .orderBy('name')
    .execute()
  const changes = await db.selectFrom('member_changes').selectAll().execute()
  return hosts.flatMap(({ name: host, cluster }) =>
    (JSON.parse(cluster ?? '') as SeenCluster).members.map(member => ({
      ...{ host, ...member },
      systems: systems
        .filter(each => each.host === host && each.member === member.name)
        .map(({ name }) => name),
      change: shownChange(
        changes.find(each => each.host === host && each.member === member.name),
        isWhole,
      ),
    })),
  )
}

function shownChange(row: MemberChangeRow | undefined, isWhole: boolean): MemberChangeDocument | null {
  const change = changeDocument(row)
  return change && (isWhole ? change : { ...change, reason: null, asked_by: '' })
}

export function changeDocument(row: MemberChangeRow): MemberChangeDocument
export function changeDocument(row: MemberChangeRow | undefined): MemberChangeDocument | null
export function changeDocument(row: MemberChangeRow | undefined): MemberChangeDocument | null {
  return row
    ? {
        ...{ id: row.id, action: row.action, state: row.state, reason: row.reason, asked_by: row.asked_by },
        created_at: new Date(row.created_at).toISOString(),
        ended_at: row.ended_at === null ? null : new Date(row.ended_at).toISOString(),
      }
    : null
}
