import type { Selectable } from 'kysely'
import type { DeploymentTable } from '#manager/store/tables.ts'
import type { WantedArtifact } from '#targets/artifact.ts'
import { type DeployRequest, isHint } from './deployment.ts'

type Columns = Pick<
  Selectable<DeploymentTable>,
  'wanted_commit' | 'wanted_release' | 'wanted_previous' | 'wanted_version' | 'wanted_service'
>

/** What a deployment is to bring, where somebody named it. */
export type Wish = Pick<DeployRequest, 'commit' | 'release' | 'previous' | 'artifact'>

export function wishColumns({ commit, release, previous, artifact }: Wish): Columns {
  return {
    wanted_commit: commit ?? null,
    wanted_release: release ?? null,
    wanted_previous: previous === true ? 1 : 0,
    wanted_version: artifact?.version ?? null,
    wanted_service: artifact?.serviceName ?? null,
  }
}

export function wishIn(row: Columns): Wish {
  return {
    commit: row.wanted_commit ?? undefined,
    release: row.wanted_release ?? undefined,
    previous: row.wanted_previous === 1,
    artifact: artifactIn(row),
  }
}

export function artifactIn({
  wanted_version,
  wanted_service,
}: Pick<Columns, 'wanted_version' | 'wanted_service'>): WantedArtifact | undefined {
  const version = wanted_version ?? undefined
  const serviceName = wanted_service ?? undefined
  return version === undefined && serviceName === undefined ? undefined : { version, serviceName }
}

export function isSameWish(one: Columns, other: Wish): boolean {
  const columns = wishColumns(other)
  return Object.entries(columns).every(([name, value]) => one[name as keyof Columns] === value)
}

/** Whether somebody wants this commit, release or version and no other. */
export function isNamed({ commit, release, artifact }: Wish): boolean {
  return (commit ?? release ?? artifact) !== undefined
}

/**
 * Whether what waits for an approval gives way to a newer want; that waits in its turn if it has to. What was wanted by
 * name does not give way to a hint, and nothing does to a repair: it only restores what was approved once.
 */
export function givesWay(
  waiting: Wish,
  { release, trigger }: Pick<DeployRequest, 'release' | 'trigger'>,
): boolean {
  const isRepair = release !== undefined && trigger.kind !== 'rollback' && trigger.kind !== 'api'
  return !isRepair && !(isHint(trigger) && isNamed(waiting))
}
