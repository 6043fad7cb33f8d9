import { randomBytes } from 'node:crypto'
import type { ChannelChange, ChannelEvent, NewChannel, TargetBody } from '#contract/rest/notifications.ts'
import { timedSecretOf } from '#git-hosts/signature.ts'
import { newId } from '#lib/id.ts'
import { VERSION_CHANGED } from '#manager/apps/errors.ts'
import type { Change } from '#manager/apps/update-app.ts'
import { channelPlace } from '#manager/outbox/put.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { isConstraintViolation } from '#manager/store/store-error.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { type ChannelRow, channelNamed, sealTarget, type Target } from './channels.ts'
import { CHANNEL_EXISTS } from './errors.ts'

const SECRET_BYTES = 32
const USUAL_EVENTS: readonly ChannelEvent[] = ['failed', 'recovered', 'waiting', 'drift', 'problem']

export interface ChangedChannel {
  readonly channel: ChannelRow
  /** Of a webhook, when it was made here. */
  readonly secret: string | undefined
}

type Parts = Pick<ManagerParts, 'db' | 'clock' | 'sealer' | 'outbox'>

export async function createChannel(parts: Parts, wanted: NewChannel): Promise<ChangedChannel> {
  const { db, clock, sealer, outbox } = parts
  const id = newId()
  const now = clock.now()
  const { target, secret } = completed(wanted.target)
  const row = {
    id,
    name: wanted.name,
    kind: target.kind,
    is_on: Number(wanted.on ?? true),
    target_sealed: sealTarget(sealer, id, target),
    events: JSON.stringify(wanted.events ?? USUAL_EVENTS),
    apps: wanted.apps ? JSON.stringify(wanted.apps) : null,
    version: 1,
    created_at: now,
    updated_at: now,
  }
  try {
    await db.insertInto('channels').values(row).execute()
  } catch (error) {
    throw isConstraintViolation(error) ? CHANNEL_EXISTS(wanted.name) : error
  }
  await outbox.refresh()
  return { channel: await channelNamed(db, wanted.name), secret }
}

/** Changes a channel. A new target is given whole: what is stored of the old one never goes to another address. */
export async function updateChannel(parts: Parts, wanted: Change<ChannelChange>): Promise<ChangedChannel> {
  const { db, clock, sealer, outbox } = parts
  const { change } = wanted
  const row = await channelNamed(db, wanted.name)
  const { target, secret } = change.target ? completed(change.target) : {}
  const result = await db
    .updateTable('channels')
    .set({
      ...(target ? { kind: target.kind, target_sealed: sealTarget(sealer, row.id, target) } : {}),
      ...(change.on === undefined ? {} : { is_on: Number(change.on) }),
      ...(change.events === undefined ? {} : { events: JSON.stringify(change.events) }),
      ...(change.apps === undefined ? {} : { apps: change.apps && JSON.stringify(change.apps) }),
      problem: null,
      version: row.version + 1,
      updated_at: clock.now(),
    })
    .where('id', '=', row.id)
    .where('version', '=', wanted.version ?? row.version)
    .executeTakeFirst()
  const now = await channelNamed(db, wanted.name)
  if (result.numUpdatedRows === 0n) {
    throw VERSION_CHANGED(`The channel "${wanted.name}"`, now.version)
  }
  await outbox.refresh()
  return { channel: now, secret }
}

/** Deletes a channel with what it has not sent yet. */
export async function deleteChannel(
  { db, outbox }: Parts,
  wanted: { readonly name: string; readonly version: number | undefined },
): Promise<void> {
  const row = await channelNamed(db, wanted.name)
  await inTransaction(db, async transaction => {
    const result = await transaction
      .deleteFrom('channels')
      .where('id', '=', row.id)
      .where('version', '=', wanted.version ?? row.version)
      .executeTakeFirst()
    if (result.numDeletedRows === 0n) {
      throw VERSION_CHANGED(`The channel "${row.name}"`, row.version)
    }
    await transaction.deleteFrom('outbox').where('place', '=', channelPlace(row.id)).execute()
  })
  await outbox.refresh()
}

function completed(wanted: TargetBody): { readonly target: Target; readonly secret?: string | undefined } {
  if (wanted.kind !== 'webhook') {
    return { target: wanted }
  }
  const secret = wanted.secret ?? timedSecretOf(randomBytes(SECRET_BYTES))
  return { target: { ...wanted, secret }, secret: wanted.secret === undefined ? secret : undefined }
}
