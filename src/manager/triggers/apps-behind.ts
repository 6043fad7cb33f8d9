import { type Kysely, type Selectable, sql } from 'kysely'
import type { WireError } from '#lib/errors.ts'
import { AGENT_OFFLINE } from '#manager/agents/errors.ts'
import { appsOfRepository } from '#manager/apps/queries.ts'
import type { DeploymentTable, RepositoryTable, Tables } from '#manager/store/tables.ts'
import { lineageOf } from './lineage.ts'

type Row = Pick<
  Selectable<DeploymentTable>,
  'kind' | 'state' | 'commit' | 'wanted_commit' | 'error' | 'finished_at'
>

export interface Seen {
  readonly tip: string
  /** ms since 1970. */
  readonly now: number
}

interface Judged {
  /** The tip, and what it is the same as: what our own commits were made on. */
  readonly same: readonly string[]
  readonly now: number
}

/** Failures in a row that were no fault of the commit, after which only a person or a push tries again. */
const MOST_TRIES = 6
const FIRST_WAIT_MS = 60_000
const LONGEST_WAIT_MS = 3_600_000

/**
 * Apps of a repository that ought to be at the tip of its branch and are not. A tip that moved is wanted by all of them.
 * One that stands still is wanted where the last attempt did not reach it, unless a person has asked for something else
 * since (a commit, a rollback, a removal, a cancellation) or trying again is of no use.
 */
export async function appsBehind(
  db: Kysely<Tables>,
  repository: Pick<Selectable<RepositoryTable>, 'id' | 'last_tip'>,
  { tip, now }: Seen,
): Promise<string[]> {
  const behind: string[] = []
  const { commits: same } = await lineageOf(db, repository.id, tip)
  for (const { id } of await appsOfRepository(db, repository.id)) {
    const attempts = await lastAttempts(db, id)
    // At the first look only a deployment can have seen the tip before; apps that never ran are left to who creates them.
    const before = repository.last_tip ?? attempts.find(wantsTip)?.commit ?? tip
    const wants = same.includes(before) ? isLeftBehind(attempts, { same, now }) : isMissed(attempts[0], same)
    if (wants) {
      behind.push(id)
    }
  }
  return behind
}

/**
 * Whether a deployment of one of its apps has begun and is yet to read the branch: which tip it takes is not known
 * before, and to ask for one more deployment would be one too many.
 */
export async function isBeingRead(db: Kysely<Tables>, repositoryId: string): Promise<boolean> {
  const reading = await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select('deployments.id')
    .where('apps.repository_id', '=', repositoryId)
    // As a literal, so that the index of those that run answers.
    .where('deployments.state', '=', sql.lit('running'))
    .where('deployments.kind', '=', 'deploy')
    .where('deployments.commit', 'is', null)
    .where('deployments.wanted_commit', 'is', null)
    .where('deployments.wanted_release', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return reading !== undefined
}

/** The newest first. A superseded one says nothing: what it wanted is in the one after it. */
async function lastAttempts(db: Kysely<Tables>, appId: string): Promise<Row[]> {
  return await db
    .selectFrom('deployments')
    .select(['kind', 'state', 'commit', 'wanted_commit', 'error', 'finished_at'])
    .where('app_id', '=', appId)
    .where('state', '!=', 'superseded')
    .orderBy('id', 'desc')
    .limit(MOST_TRIES)
    .execute()
}

/** Nothing that is under way or done covers the new tip (a webhook may have been faster). */
function isMissed(last: Row | undefined, same: readonly string[]): boolean {
  switch (last?.state) {
    case undefined:
    case 'failed':
    case 'cancelled':
      return true
    case 'queued':
      return last?.kind !== 'remove' && !(last && wantsTip(last))
    default:
      return last?.kind !== 'remove' && !isAt(last, same)
  }
}

function isLeftBehind(attempts: readonly Row[], { same, now }: Judged): boolean {
  const [last] = attempts
  if (!last || !wantsTip(last)) {
    return false
  }
  if (last.state === 'succeeded') {
    return !isAt(last, same)
  }
  if (last.state !== 'failed') {
    return false
  }
  if (isFinal(last)) {
    return last.commit !== null && !isAt(last, same)
  }
  const end = attempts.findIndex(row => row.state !== 'failed' || isFinal(row))
  const row = attempts.slice(0, end === -1 ? attempts.length : end)
  // While the worker was away nothing was tried; now it has told the tip.
  const tries = row.filter(each => !wasAway(each)).length
  const wait = tries === 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), LONGEST_WAIT_MS)
  return tries < MOST_TRIES && now - (last.finished_at ?? 0) >= wait
}

function isAt(row: Row | undefined, same: readonly string[]): boolean {
  return typeof row?.commit === 'string' && same.includes(row.commit)
}

function wantsTip({ kind, wanted_commit }: Row): boolean {
  return kind === 'deploy' && wanted_commit === null
}

/** Only a person can help. */
function isFinal(row: Row): boolean {
  return errorOf(row)?.retry === 'never'
}

function wasAway(row: Row): boolean {
  return errorOf(row)?.code === AGENT_OFFLINE.definition.code
}

function errorOf({ error }: Row): WireError | undefined {
  return error === null ? undefined : (JSON.parse(error) as WireError)
}
