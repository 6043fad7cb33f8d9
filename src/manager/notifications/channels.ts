import type { Kysely, Selectable } from 'kysely'
import type { TargetBody } from '#contract/rest/notifications.ts'
import type { Sealer } from '#manager/secrets/seal.ts'
import type { ChannelTable } from '#manager/store/outbox-tables.ts'
import type { Tables } from '#manager/store/tables.ts'
import { CHANNEL_UNKNOWN } from './errors.ts'

export type ChannelRow = Selectable<ChannelTable>

/** Where a channel leads, with everything that is secret of it. */
export type Target = TargetBody & ({ kind: 'webhook'; secret: string } | { kind: 'slack' | 'email' })

/** The channel with this name, or CHANNEL_UNKNOWN. */
export async function channelNamed(db: Kysely<Tables>, name: string): Promise<ChannelRow> {
  const row = await db.selectFrom('channels').selectAll().where('name', '=', name).executeTakeFirst()
  if (!row) {
    throw CHANNEL_UNKNOWN(name)
  }
  return row
}

/** Channels by name, after the last one of the page before. */
export async function listChannels(
  db: Kysely<Tables>,
  page: { readonly after?: string | undefined; readonly limit: number },
): Promise<ChannelRow[]> {
  let query = db.selectFrom('channels').selectAll().orderBy('name').limit(page.limit)
  if (page.after !== undefined) {
    query = query.where('name', '>', page.after)
  }
  return await query.execute()
}

export function sealTarget(sealer: Sealer, id: string, target: Target): string {
  return sealer.seal(JSON.stringify(target), channelPlace(id))
}

export function openTarget(sealer: Sealer, { id, target_sealed }: ChannelRow): Target {
  return JSON.parse(sealer.open(target_sealed, channelPlace(id))) as Target
}

/** Where it leads, in words that people may see: the path of a webhook is often itself the secret. */
export function shownTarget(target: Target): string {
  switch (target.kind) {
    case 'webhook':
    case 'slack':
      return new URL(target.url).origin
    case 'email':
      return target.to.join(', ')
  }
}

/** What a value is sealed for. */
export function channelPlace(id: string): string {
  return `channels/${id}/target`
}
