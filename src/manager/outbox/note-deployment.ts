import type { ChannelEvent } from '#contract/rest/notifications.ts'
import type { VisitorPorts } from '#lib/visit-origin.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { readDeployment } from '#manager/deployments/queries.ts'
import { isWithoutEffect, isWithoutLook, WITHOUT_LOOK } from '#manager/deployments/without-effect.ts'
import { deploymentMessage } from '#manager/notifications/message.ts'
import { reportNote } from '#manager/reporting/report-note.ts'
import { channelsFor } from './interest.ts'
import { channelPlace, type Entry, type PuttingContext, putIn, replaceEarlier, reportPlace } from './put.ts'

/**
 * Puts in line what is to be told of a deployment's present state, inside the transaction that brought it there.
 * Costs nothing where nobody wants to hear of it. `visitors`: where the proxy of its host listens.
 */
export async function noteDeployment(
  context: PuttingContext,
  id: string,
  visitors?: VisitorPorts,
): Promise<void> {
  const { reports, channels } = context.outbox.interest()
  if (reports.size === 0 && channels.length === 0) {
    return
  }
  const deployment = await readDeployment(context.db, id)
  const told = { deployment, visitors }
  await putIn(context, [...(await reported(context, told)), ...(await announced(context, told))])
}

interface Told {
  readonly deployment: Deployment
  readonly visitors: VisitorPorts | undefined
}

async function reported(context: PuttingContext, { deployment, visitors }: Told): Promise<Entry[]> {
  const { db, outbox } = context
  const commit = deployment.commit ?? deployment.wantedCommit
  if (commit === undefined || outbox.interest().reports.size === 0) {
    return []
  }
  const app = await db
    .selectFrom('apps')
    .select('repository_id')
    .where('id', '=', deployment.appId)
    .executeTakeFirst()
  if (!app?.repository_id || !outbox.interest().reports.has(app.repository_id)) {
    return []
  }
  const about = { place: reportPlace(app.repository_id), subject: `${commit} ${deployment.app}` }
  await replaceEarlier(context, about)
  const places = { domains: await domainsOf(context, deployment), visitors }
  return [{ ...about, payload: reportNote(deployment, commit, places) }]
}

async function announced(context: PuttingContext, { deployment, visitors }: Told): Promise<Entry[]> {
  const interest = context.outbox.interest()
  const events = await eventsOf(context, deployment)
  const channels = channelsFor(interest, events, deployment.app)
  const [event] = events
  if (channels.length === 0 || event === undefined) {
    return []
  }
  const message = deploymentMessage(deployment, event, {
    now: context.clock.now(),
    domains: await domainsOf(context, deployment),
    visitors,
  })
  return channels.map(channel => ({ place: channelPlace(channel), subject: '', payload: message }))
}

/**
 * What the state is an example of; the first is what it is called. Where nothing was changed there is nothing to tell,
 * unless something was broken before and is found well now.
 */
async function eventsOf(context: PuttingContext, deployment: Deployment): Promise<readonly ChannelEvent[]> {
  const { state, outcome } = deployment
  if (state === 'waiting' || state === 'failed') {
    return [state]
  }
  if (state !== 'succeeded' || context.outbox.interest().channels.length === 0) {
    return []
  }
  const succeeded: ChannelEvent[] = isWithoutEffect(outcome) ? [] : ['succeeded']
  const recovers = !isWithoutLook(outcome) && (await failedBefore(context, deployment))
  return recovers ? ['recovered', ...succeeded] : succeeded
}

/** Whether the last one that says something of what runs failed. */
async function failedBefore({ db }: PuttingContext, { id, appId }: Deployment): Promise<boolean> {
  const before = await db
    .selectFrom('deployments')
    .select('state')
    .where('app_id', '=', appId)
    .where('id', '<', id)
    .where('state', 'in', ['succeeded', 'failed'])
    .where(eb => eb.or([eb('outcome', 'is', null), eb('outcome', 'not in', WITHOUT_LOOK)]))
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return before?.state === 'failed'
}

/** Where visitors find the app, once it succeeded. */
async function domainsOf({ db }: PuttingContext, { appId, state }: Deployment): Promise<string[]> {
  if (state !== 'succeeded') {
    return []
  }
  const rows = await db
    .selectFrom('domains')
    .select('host')
    .where('app_id', '=', appId)
    .orderBy('host')
    .execute()
  return rows.map(row => row.host)
}
