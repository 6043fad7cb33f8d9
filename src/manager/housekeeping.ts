import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Timer } from '#lib/clock.ts'
import { turns } from '#lib/repeat.ts'
import { forgetFileSecrets } from '#manager/secrets/file-secrets.ts'
import type { SecretRevisions } from '#manager/secrets/queries.ts'
import { forgetSharedRevisions } from '#manager/secrets/shared.ts'
import { isWithoutEffect } from './deployments/without-effect.ts'
import { forgetLogsWithoutAnswers } from './forget-logs.ts'
import { tendHosts } from './hosts/tend-hosts.ts'
import { forgetOldPreviews } from './notebooks/previews.ts'
import type { ManagerParts } from './parts.ts'
import { forgetEndedSessions } from './people/sessions.ts'
import { forgetEndedTokens } from './people/tokens.ts'
import { inTransaction } from './store/transaction.ts'

const EVERY_MS = 3_600_000
const DAY_MS = 24 * EVERY_MS
const ANSWERS_KEPT_MS = DAY_MS
/** GitHub lets people redeliver for 3 days. */
const DELIVERIES_KEPT_MS = 8 * DAY_MS
/** Later reports of a deployment that takes so long make a new record at the Git host. */
const TOLD_KEPT_MS = 3 * DAY_MS
/** Who enrolled a host with which token. */
const TOKENS_KEPT_MS = 90 * DAY_MS
/** A commit of ours that was forgotten is told by its content. */
const PUSHED_KEPT_MS = 400 * DAY_MS
/** Newest deployments of an app, and newest ones that did something, with their logs and the answers of the worker; of older ones the record stays. */
export const KEPT_IN_FULL = 100
/** At a time, so that a long past does not hold up the present. */
const AT_ONCE = 500
const OPEN: readonly string[] = ['queued', 'running', 'waiting']

/** Forgets what nobody can ask for any more: now and every hour, but for the hours that a long round takes. */
export function startHousekeeping(parts: ManagerParts): Timer {
  async function keepHouse(): Promise<void> {
    await forgetOld(parts)
    await tendHosts(parts)
  }
  const keep = turns(keepHouse, error => parts.logger.warn('housekeeping.failed', { message: error.message }))
  keep()
  return parts.clock.every(EVERY_MS, keep)
}

type Housekept = Pick<ManagerParts, 'db' | 'clock' | 'logs'>

export async function forgetOld({ db, clock, logs }: Housekept): Promise<void> {
  const now = clock.now()
  await db
    .deleteFrom('idempotency')
    .where('created_at', '<', now - ANSWERS_KEPT_MS)
    .execute()
  await db
    .deleteFrom('deliveries')
    .where('received_at', '<', now - DELIVERIES_KEPT_MS)
    .execute()
  await forgetEndedTokens({ db, clock })
  await forgetEndedSessions({ db, clock })
  await db
    .deleteFrom('join_tokens')
    .where('expires_at', '<', now - TOKENS_KEPT_MS)
    .execute()
  await db
    .deleteFrom('outbox')
    .where('ended_at', '<', now - TOLD_KEPT_MS)
    .execute()
  await db
    .deleteFrom('signed_calls')
    .where('received_at', '<', now - DAY_MS)
    .execute()
  await db
    .deleteFrom('pushed_commits')
    .where('created_at', '<', now - PUSHED_KEPT_MS)
    .execute()
  await forgetOldPreviews(db)
  await forgetDetails({ db, logs })
  await forgetLogsWithoutAnswers({ db, logs }, KEPT_IN_FULL)
  await forgetSecretRevisions(db)
}

/**
 * What fills the disk is not that a deployment was, but every line and every answer of it. However many there were that
 * did nothing, the log of the builds before stays. Starts from the answers that are there, newest first: of most
 * deployments of a long past none is.
 */
async function forgetDetails({ db, logs }: Pick<Housekept, 'db' | 'logs'>): Promise<void> {
  const kept = new Map<string, { ofAll: number; withEffect: number }>()
  for (let page = await detailed(db); page.length > 0; page = await detailed(db, page.at(-1)?.id)) {
    for (const { id, app_id: app, state, outcome } of page) {
      const count = kept.get(app) ?? { ofAll: 0, withEffect: 0 }
      kept.set(app, count)
      const hasEffect = !isWithoutEffect(outcome)
      count.ofAll += 1
      count.withEffect += hasEffect ? 1 : 0
      const isKept = count.ofAll <= KEPT_IN_FULL || (hasEffect && count.withEffect <= KEPT_IN_FULL)
      if (!isKept && !OPEN.includes(state)) {
        await logs.remove(id)
        await db.deleteFrom('commands').where('deployment_id', '=', id).execute()
      }
    }
    // SQLite answers at once: of a million deployments the others would get no turn.
    await nextTurn()
  }
}

/** The next deployments before this one whose answers are there, newest first. */
async function detailed(db: Housekept['db'], before?: string) {
  const some = db
    .selectFrom('commands')
    .select('deployment_id')
    .distinct()
    .$if(before !== undefined, query => query.where('deployment_id', '<', before ?? ''))
    .orderBy('deployment_id', 'desc')
    .limit(AT_ONCE)
  return await db
    .selectFrom(some.as('some'))
    .innerJoin('deployments', 'deployments.id', 'some.deployment_id')
    .select(['deployments.id', 'deployments.app_id', 'deployments.state', 'deployments.outcome'])
    .orderBy('deployments.id', 'desc')
    .execute()
}

/** A value that no release was made with and that the app no longer has is of use to nobody but a thief. */
async function forgetSecretRevisions(db: Housekept['db']): Promise<void> {
  await forgetSharedRevisions(db)
  await forgetFileSecrets(db)
  const apps = await db.selectFrom('secret_revisions').select('app_id').distinct().execute()
  for (const { app_id: app } of apps) {
    await inTransaction(db, transaction => forgetRevisionsOf(transaction, app))
  }
}

async function forgetRevisionsOf(db: Housekept['db'], app: string): Promise<void> {
  const open = await db
    .selectFrom('deployments')
    .select('id')
    .where('app_id', '=', app)
    .where('state', 'in', ['running', 'waiting'])
    .executeTakeFirst()
  if (open) {
    // It may have read values that were replaced since, and its release will name them.
    return
  }
  const [present, releases, revisions] = await Promise.all([
    db.selectFrom('secrets').select(['name', 'revision']).where('app_id', '=', app).execute(),
    db.selectFrom('releases').select('secrets').distinct().where('app_id', '=', app).execute(),
    db.selectFrom('secret_revisions').select(['name', 'revision']).where('app_id', '=', app).execute(),
  ])
  const released = releases.flatMap(row => Object.entries(JSON.parse(row.secrets ?? '{}') as SecretRevisions))
  const needed = new Set([...present.map(row => [row.name, row.revision]), ...released].map(String))
  for (const { name, revision } of revisions.filter(row => !needed.has(String([row.name, row.revision])))) {
    await db
      .deleteFrom('secret_revisions')
      .where('app_id', '=', app)
      .where('name', '=', name)
      .where('revision', '=', revision)
      .execute()
  }
}
