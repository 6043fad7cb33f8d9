import type { Selectable } from 'kysely'
import { imageDigest } from '#commands/image.ts'
import { asFairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import type { Logger } from '#lib/logger.ts'
import type { Agents } from '#manager/agents/agents.ts'
import { type ImagesByService, movedImages } from '#manager/apps/moved-images.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import { registryInUse } from '#manager/registry/registry-in-use.ts'
import { factsOf, newestRelease } from '#manager/releases/queries.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { AppTable, ReleaseTable } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import type { Followed } from '#targets/followed.ts'
import { TARGETS } from '#targets/index.ts'
import type { RegistryFacts } from '#targets/target.ts'

export interface FollowContext extends DeploymentsContext {
  readonly agents: Agents
  readonly logger: Logger
  readonly registry: RegistryFacts | undefined
  readonly sealer: Sealer
  /** Wakes the queue, after a deployment was requested. */
  readonly wake: () => void
}

/** How a look at an app's tags went. */
export interface LookAtTags {
  readonly failed: boolean
  /** How long a registry wants to be left alone. */
  readonly restMs: number
}

type ReleaseRow = Selectable<ReleaseTable>

/** A worker that is away is asked at the next look, not waited for. */
const WAIT_MS = 2_000
const LONGEST_REST_MS = 24 * 3_600_000

/** What the release that runs wants followed; nothing after a rollback, which is not to be undone by a moved tag. */
export function followedByApp(release: ReleaseRow | undefined): Followed | undefined {
  if (!release || release.held_commit !== null) {
    return undefined
  }
  return TARGETS.find(({ name }) => name === release.target)?.follows?.(factsOf(release))
}

/**
 * Asks the registries what the tags of an app mean now, and requests a deployment of the commit that runs when one has
 * moved. An image that was tried before is not tried again: the deployment that brought it did not succeed.
 */
export async function lookAtTags(context: FollowContext, appId: string): Promise<LookAtTags> {
  const { db } = context
  const app = await db.selectFrom('apps').selectAll().where('id', '=', appId).executeTakeFirst()
  const release = await newestRelease(db, appId)
  const followed = followedByApp(release)
  if (!app || !release || !followed) {
    return { failed: false, restMs: 0 }
  }
  const moved: Record<string, string> = {}
  let restMs = 0
  let failed = false
  for (const { name, reference, pinned } of followed.images) {
    const answer = await ask(context, app, reference)
    if (answer.digest === undefined) {
      failed = true
      restMs = Math.max(restMs, Math.min((answer.retryAfterSeconds ?? 0) * 1_000, LONGEST_REST_MS))
      context.logger.warn('images.not-told', { app: app.name, image: reference, message: answer.problem })
      continue
    }
    const now = `${pinned.split('@')[0]}@${answer.digest}`
    if (now !== pinned) {
      moved[name] = now
    }
  }
  await bring(context, app, { release, followed, moved })
  return { failed, restMs }
}

interface Answer {
  readonly digest?: string
  readonly problem?: string
  readonly retryAfterSeconds?: number
}

async function ask(
  context: FollowContext,
  { host }: Pick<AppTable, 'host'>,
  reference: string,
): Promise<Answer> {
  const registry = await registryInUse(context)
  const isOurs = registry && reference.startsWith(`${registry.address}/`)
  try {
    const result = await context.agents.tell(host, {
      id: newId(),
      command: imageDigest.name,
      params: { reference, registries: isOurs ? [registry] : [] },
      deadlineMs: imageDigest.deadlineMs,
      waitMs: WAIT_MS,
    })
    return result as Answer
  } catch (error) {
    return { problem: asFairleadError(error).message }
  }
}

interface News {
  readonly release: ReleaseRow
  readonly followed: Followed
  /** By service, what its tag means now when that is not what runs. */
  readonly moved: ImagesByService
}

async function bring(
  context: FollowContext,
  app: Selectable<AppTable>,
  { release, followed, moved }: News,
): Promise<void> {
  const tried = (await wasSuperseded(context, app.id)) ? {} : movedImages(app).tried
  const bring = Object.fromEntries(Object.entries(moved).filter(([name, image]) => tried[name] !== image))
  if (Object.keys(bring).length === 0) {
    return
  }
  const texts = followed.images
    .filter(({ name }) => name in bring)
    .map(({ name, reference }) => `${reference} is ${bring[name]?.split('@')[1]?.slice(0, 19)} now`)
  const now = JSON.stringify({ bring, tried: { ...tried, ...bring } })
  const requested = await inTransaction(context.db, async db => {
    if (await isBusy({ ...context, db }, app.id, release.id)) {
      return false
    }
    await db.updateTable('apps').set({ moved_images: now }).where('id', '=', app.id).execute()
    await requestDeployment(
      { ...context, db },
      {
        appId: app.id,
        kind: 'deploy',
        trigger: { kind: 'image', by: 'images', detail: texts.join(', ').slice(0, 500) },
        // Only the images are news: what was pushed meanwhile comes by its own trigger.
        commit: release.commit,
      },
    )
    return true
  })
  if (requested) {
    context.logger.info('images.moved', { app: app.name, images: texts.join(', ') })
    context.wake()
  }
}

/** The last deployment that images were to come with made way for another one: they were not tried. */
async function wasSuperseded({ db }: DeploymentsContext, appId: string): Promise<boolean> {
  const last = await db
    .selectFrom('deployments')
    .select('state')
    .where('app_id', '=', appId)
    .where('trigger', 'like', '{"kind":"image"%')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return last?.state === 'superseded'
}

/** Somebody wants something of the app already, or it was deployed since: the next look tells. */
async function isBusy({ db }: DeploymentsContext, appId: string, releaseId: string): Promise<boolean> {
  const open = await db
    .selectFrom('deployments')
    .select('id')
    .where('app_id', '=', appId)
    .where('state', 'in', ['queued', 'running', 'waiting'])
    .executeTakeFirst()
  return open !== undefined || (await newestRelease(db, appId))?.id !== releaseId
}
