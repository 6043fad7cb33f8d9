import type { Kysely, Selectable } from 'kysely'
import type { HostEvent, Origin } from '#git-hosts/git-host.ts'
import { isAddressOf } from '#git-hosts/repository-path.ts'
import type { Trigger } from '#manager/deployments/deployment.ts'
import type { DeploymentsContext } from '#manager/deployments/request.ts'
import { compiledOnce } from '#manager/store/compiled-once.ts'
import type { HookTable } from '#manager/store/hook-table.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { type Asked, askRepository, requestEach } from './ask-repository.ts'
import { DELIVERY_CONFLICT, OTHER_REPOSITORY } from './errors.ts'
import { repeated } from './repeated-delivery.ts'

/** A hook with what is known of the repository that it was made for. */
export interface HookRow extends Selectable<HookTable> {
  readonly repository_url: string
  readonly repository_is_private: number | null
}

/** A verified delivery of a Git host. */
export interface Delivery {
  readonly hook: HookRow
  /** The secret that vouches for it. */
  readonly secret: 'current' | 'previous'
  readonly id: string
  readonly bodySha256: string
  /** It has an id that anybody could change, and a body that no other push has. */
  readonly isKnownByBody: boolean
  /** What the host calls the event. */
  readonly eventName: string
  readonly event: HostEvent
}

export type Taken = Asked | { readonly kind: 'duplicate'; readonly deployments: readonly string[] }

/**
 * Stores a delivery together with the deployments that it asks for: both or nothing, on the disk when this resolves.
 * A redelivery changes nothing, unless deployments of the first one failed: these are requested again.
 */
export async function takeDelivery(context: DeploymentsContext, delivery: Delivery): Promise<Taken> {
  const { hook, event } = delivery
  refuseOtherRepository(hook, event.origin)
  return await inTransaction(context.db, async db => {
    const inside = { ...context, db }
    const [withId] = await deliveryWithId(db, { hook: hook.id, id: delivery.id })
    const earlier = withId ?? (await repeated(inside, delivery))
    return earlier ? await takeAgain(inside, delivery, earlier) : await takeFirst(inside, delivery)
  })
}

const deliveryWithId = compiledOnce((db, { hook, id }: { hook: string; id: string }) =>
  db.selectFrom('deliveries').selectAll().where('hook_id', '=', hook).where('delivery_id', '=', id),
)

/** Not the registered address, or the id of another repository: renamed, transferred or made anew, it is another one. */
function refuseOtherRepository(hook: HookRow, { remoteId, remotePath }: Origin): void {
  if (remotePath !== undefined && !isAddressOf(hook.repository_url, remotePath)) {
    throw OTHER_REPOSITORY(remotePath)
  }
  if (hook.remote_id !== null && remoteId !== undefined && remoteId !== hook.remote_id) {
    throw OTHER_REPOSITORY(remoteId)
  }
}

async function takeFirst(context: DeploymentsContext, delivery: Delivery): Promise<Taken> {
  const { db, clock } = context
  await noteVisibility(db, delivery)
  const taken = await decide(context, delivery)
  await insertDelivery(db, {
    hook: delivery.hook.id,
    id: delivery.id,
    bodySha256: delivery.bodySha256,
    event: delivery.eventName,
    state: taken.kind === 'ignored' ? 'ignored' : 'accepted',
    reason: taken.kind === 'ignored' ? taken.reason : null,
    deployments: JSON.stringify(taken.kind === 'ignored' ? [] : taken.deployments),
    receivedAt: clock.now(),
  })
  await noteHook(context, delivery)
  return taken
}

interface NewDelivery extends Record<string, unknown> {
  readonly hook: string
  readonly id: string
  readonly bodySha256: string
  readonly event: string
  readonly state: 'accepted' | 'ignored'
  readonly reason: string | null
  readonly deployments: string
  readonly receivedAt: number
}

const insertDelivery = compiledOnce((db, row: NewDelivery) =>
  db.insertInto('deliveries').values({
    hook_id: row.hook,
    delivery_id: row.id,
    body_sha256: row.bodySha256,
    event: row.event,
    state: row.state,
    reason: row.reason,
    deployments: row.deployments,
    attempts: 1,
    received_at: row.receivedAt,
  }),
)

async function takeAgain(
  context: DeploymentsContext,
  delivery: Delivery,
  earlier: Selectable<Tables['deliveries']>,
): Promise<Taken> {
  if (earlier.body_sha256 !== delivery.bodySha256) {
    throw DELIVERY_CONFLICT(delivery.id)
  }
  if (earlier.state === 'ignored') {
    return { kind: 'ignored', reason: earlier.reason ?? '' }
  }
  const first = JSON.parse(earlier.deployments) as string[]
  const failed = await failedOf(context.db, first)
  if (failed.length === 0) {
    return { kind: 'duplicate', deployments: first }
  }
  const ids = failed.map(row => row.app_id)
  const again = await requestEach(context, ids, triggerOf(delivery))
  const deployments = [...first.filter(id => failed.every(row => row.id !== id)), ...again]
  await context.db
    .updateTable('deliveries')
    .set({ attempts: earlier.attempts + 1, deployments: JSON.stringify(deployments) })
    .where('hook_id', '=', delivery.hook.id)
    .where('delivery_id', '=', earlier.delivery_id)
    .execute()
  return { kind: 'accepted', deployments, look: undefined }
}

/** A delivery is a hint: whatever commit it names, the deployment reads the tip of the branch itself. */
async function decide(context: DeploymentsContext, delivery: Delivery): Promise<Taken> {
  const { event, hook } = delivery
  if (event.kind === 'ignored') {
    return (event.isTag && (await takeTag(context, delivery))) || { kind: 'ignored', reason: event.reason }
  }
  return await askRepository(context, {
    repository: hook.repository_id,
    trigger: triggerOf(delivery),
    branches: event.branches,
  })
}

/** A tag is news for apps whose version it may be: they look at their branch. Undefined when there are none. */
async function takeTag(context: DeploymentsContext, delivery: Delivery): Promise<Taken | undefined> {
  const apps = await context.db
    .selectFrom('apps')
    .innerJoin('repositories', 'repositories.id', 'apps.repository_id')
    .select('apps.id')
    .where('repositories.id', '=', delivery.hook.repository_id)
    .where('repositories.stopped', 'is', null)
    .where('apps.uses_tags', '=', 1)
    .execute()
  if (apps.length === 0) {
    return undefined
  }
  const ids = apps.map(({ id }) => id)
  const deployments = await requestEach(context, ids, triggerOf(delivery))
  return { kind: 'accepted', deployments, look: undefined }
}

/** Whether messages of commits may ask for something hangs on it, also that of the commit that was just pushed. */
async function noteVisibility(db: Kysely<Tables>, { hook, event }: Delivery): Promise<void> {
  const { isPrivate } = event.origin
  const told = isPrivate ? 1 : 0
  if (isPrivate === undefined || told === hook.repository_is_private) {
    return
  }
  await db
    .updateTable('repositories')
    .set({ is_private: told })
    .where('id', '=', hook.repository_id)
    .execute()
}

function triggerOf({ hook, id }: Delivery): Trigger {
  return { kind: 'webhook', by: hook.git_host, detail: id }
}

async function failedOf(
  db: Kysely<Tables>,
  deployments: readonly string[],
): Promise<{ id: string; app_id: string }[]> {
  return await db
    .selectFrom('deployments')
    .select(['id', 'app_id'])
    .where('id', 'in', deployments)
    .where('state', '=', 'failed')
    .execute()
}

/** Written at most once a minute: thousands of deliveries a second would only repeat it. */
const SEEN_EXACTNESS_MS = 60_000

/** Binds the hook to the repository that its first delivery came from, and notes which secret is of use. */
async function noteHook({ db, clock }: DeploymentsContext, { hook, event, secret }: Delivery): Promise<void> {
  const now = clock.now()
  const { remoteId } = event.origin
  const learns = hook.remote_id === null && remoteId !== undefined
  const isOther = hook.verified_with !== secret
  if (learns || isOther || now - (hook.last_delivery_at ?? 0) > SEEN_EXACTNESS_MS) {
    await db
      .updateTable('hooks')
      .set({ last_delivery_at: now, verified_with: secret, ...(learns ? { remote_id: remoteId } : {}) })
      .where('id', '=', hook.id)
      .execute()
  }
}
