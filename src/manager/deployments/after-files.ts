import type { Kysely } from 'kysely'
import { SWARM_PORT_TAKEN } from '#commands/swarm-errors.ts'
import type { WireError } from '#lib/errors.ts'
import { APP_HALF_REPLACED, APP_REMOVAL_WAITS } from '#manager/pipeline/errors.ts'
import type { EndedPipeline } from '#manager/pipeline/step.ts'
import { newestRelease } from '#manager/releases/queries.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { Deployment } from './deployment.ts'
import { type DeploymentsContext, requestUnlessRemoved } from './request.ts'
import { isWithoutEffect } from './without-effect.ts'

/**
 * What the end of one app of a repository's files means for its others: an app that it made room in vain is brought back,
 * one that was to go when this one serves is looked at again, and one whose port is free now as well. Part of the
 * transaction that ends the deployment.
 */
export async function goOnByFiles(
  context: DeploymentsContext,
  deployment: Deployment,
  end: EndedPipeline,
): Promise<void> {
  const { db } = context
  const app = await db
    .selectFrom('apps')
    .innerJoin('repositories', 'repositories.id', 'apps.repository_id')
    .select(['repositories.id', 'repositories.name'])
    .where('apps.id', '=', deployment.appId)
    .where('apps.by_files', 'is not', null)
    .executeTakeFirst()
  if (!app) {
    return
  }
  // Apps that made room are at their end when it was not in vain, whatever their own last deployment says.
  const ended = await endedFor(db, deployment.id)
  if (end.state !== 'succeeded') {
    await bringBack(context, ended, { app: deployment.app, by: app.name })
  }
  const isWaiting = waitsFor(deployment, end)
  const others = isWaiting ? await lastOfOthers(db, app.id, deployment.appId) : []
  const waiting = others.filter(last => isWaiting?.(last)).map(({ app_id }) => app_id)
  const again = (await waitsInVain(db, end)) ? [deployment.appId] : []
  for (const appId of new Set([...ended, ...waiting, ...again])) {
    const trigger = { kind: 'poll', by: app.name, detail: deployment.commit ?? '' } as const
    await requestUnlessRemoved(context, { appId, kind: 'deploy', trigger })
  }
}

/** It was found to wait for apps that have ended since, and they could not know. */
async function waitsInVain(db: Kysely<Tables>, { outcome, evidence }: EndedPipeline): Promise<boolean> {
  const { waits = [] } = (outcome === 'files-gone' ? evidence : {}) as { waits?: readonly string[] }
  if (waits.length === 0) {
    return false
  }
  const open = await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select('deployments.id')
    .where('apps.name', 'in', waits)
    .where('deployments.state', 'in', ['queued', 'running', 'waiting'])
    .limit(1)
    .executeTakeFirst()
  return open === undefined
}

async function endedFor(db: Kysely<Tables>, deployment: string): Promise<readonly string[]> {
  const ended = await db
    .selectFrom('made_room')
    .select('app_id')
    .where('deployment_id', '=', deployment)
    .execute()
  return ended.map(({ app_id }) => app_id)
}

async function bringBack(
  context: DeploymentsContext,
  ended: readonly string[],
  { app, by }: { readonly app: string; readonly by: string },
): Promise<void> {
  for (const appId of ended) {
    const release = await newestRelease(context.db, appId)
    if (release) {
      const trigger = { kind: 'files', by, detail: `it had made room for ${app}, which failed` } as const
      const { id: wanted, commit } = release
      await requestUnlessRemoved(context, { appId, kind: 'rollback', trigger, commit, release: wanted })
    }
  }
}

type Last = Awaited<ReturnType<typeof lastOfOthers>>[number]

/** Never both ways: two apps that wait for each other would go round in a circle. */
function waitsFor(
  { kind, trigger }: Deployment,
  { state, outcome, error }: EndedPipeline,
): ((last: Last) => boolean) | undefined {
  if (kind === 'stop') {
    return undefined
  }
  if (kind === 'remove') {
    return state === 'succeeded' && trigger.kind === 'files'
      ? last => codeOf(last) === SWARM_PORT_TAKEN.definition.code
      : undefined
  }
  return isWithoutEffect(outcome) || isRemovalPutOff(error?.code)
    ? undefined
    : last => last.outcome === 'files-gone' || isRemovalPutOff(codeOf(last))
}

function isRemovalPutOff(code: string | undefined): boolean {
  return [APP_REMOVAL_WAITS, APP_HALF_REPLACED].some(({ definition }) => definition.code === code)
}

function codeOf({ error }: Last): string | undefined {
  return error === null ? undefined : (JSON.parse(error) as WireError).code
}

/** The last deployments of the repository's other apps that are not at work. */
async function lastOfOthers(db: Kysely<Tables>, repository: string, app: string) {
  return await db
    .selectFrom('deployments')
    .innerJoin('apps', 'apps.id', 'deployments.app_id')
    .select(['deployments.app_id', 'deployments.outcome', 'deployments.error'])
    .where('apps.repository_id', '=', repository)
    .where('apps.by_files', 'is not', null)
    .where('apps.id', '!=', app)
    .where('deployments.kind', '=', 'deploy')
    .where('deployments.id', '=', eb =>
      eb
        .selectFrom('deployments as last')
        .select(({ fn }) => fn.max('last.id').as('id'))
        .whereRef('last.app_id', '=', 'apps.id')
        .where('last.state', '!=', 'superseded'),
    )
    .execute()
}
