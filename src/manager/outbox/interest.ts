import type { Kysely } from 'kysely'
import type { ChannelEvent } from '#contract/rest/notifications.ts'
import { repositoriesWithReports } from '#manager/reporting/queries.ts'
import type { Tables } from '#manager/store/tables.ts'

/** Who wants to be told what. Kept in memory: where nobody does, a deployment asks and writes nothing for it. */
export interface Interest {
  /** Ids of repositories whose Git host is told about commits. */
  readonly reports: ReadonlySet<string>
  readonly channels: readonly ChannelFilter[]
}

export interface ChannelFilter {
  readonly id: string
  readonly events: readonly ChannelEvent[]
  /** Names; undefined: all. */
  readonly apps: readonly string[] | undefined
}

export const NOBODY: Interest = { reports: new Set(), channels: [] }

export async function readInterest(db: Kysely<Tables>): Promise<Interest> {
  const channels = await db
    .selectFrom('channels')
    .select(['id', 'events', 'apps'])
    .where('is_on', '=', 1)
    .orderBy('id')
    .execute()
  return {
    reports: new Set(await repositoriesWithReports(db)),
    channels: channels.map(row => ({
      id: row.id,
      events: JSON.parse(row.events) as ChannelEvent[],
      apps: row.apps === null ? undefined : (JSON.parse(row.apps) as string[]),
    })),
  }
}

/** Ids of the channels that want to hear of any of these events of the app; without one, of the whole manager. */
export function channelsFor(
  { channels }: Interest,
  events: readonly ChannelEvent[],
  app: string | undefined,
): readonly string[] {
  return channels
    .filter(
      each =>
        events.some(event => each.events.includes(event)) &&
        (each.apps === undefined || (app !== undefined && each.apps.includes(app))),
    )
    .map(each => each.id)
}
