import { createHash } from 'node:crypto'
import { routeAdmit } from '#commands/route-admit.ts'
import { newId, randomText } from '#lib/id.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { readApp } from './queries.ts'

/** Long enough to follow a link, too short to pass it on. */
const VALID_MS = 5 * 60_000
/** The most that a worker lets somebody in for. */
const LONGEST_MS = 12 * 3_600_000

export interface OpenedVisit {
  readonly url: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** A link that lets the owner of a token or a session (`visitor`) into a guarded app, once. Throws NAME_OPEN for one that everybody may visit. */
export async function openVisit(
  { db, agents, clock }: Pick<ManagerParts, 'db' | 'agents' | 'clock'>,
  { app: name, visitor, to }: { readonly app: string; readonly visitor: string; readonly to: string },
): Promise<OpenedVisit> {
  const app = await readApp(db, name)
  const ticket = randomText(32)
  const expiresAt = clock.now() + VALID_MS
  const params = {
    name,
    ticket: createHash('sha256').update(ticket).digest('hex'),
    visitor,
    until: expiresAt,
  }
  // First: whoever is let in must be known, to be shut out again when their token is gone.
  await db
    .insertInto('visits')
    .values({ visitor, host: app.host, until: expiresAt + LONGEST_MS })
    .onConflict(conflict =>
      conflict.columns(['visitor', 'host']).doUpdateSet({ until: expiresAt + LONGEST_MS }),
    )
    .execute()
  const { name: command, deadlineMs } = routeAdmit
  const told = { id: newId(), command, params, deadlineMs, waitMs: 0 }
  const { origins } = (await agents.tell(app.host, told)) as { origins: readonly string[] }
  const query = new URLSearchParams({ s: ticket, ...(to === '/' ? {} : { to }) })
  return { url: `${await wellKnown(db, name, origins)}/_fairlead/open?${query}`, expiresAt }
}

/** The address that stands in URL.md; else the first that there is. */
async function wellKnown(
  db: ManagerParts['db'],
  app: string,
  origins: readonly string[],
): Promise<string | undefined> {
  const row = await db.selectFrom('notebooks').select('url').where('app', '=', app).executeTakeFirst()
  const hostOf = (url: string) => URL.parse(url)?.hostname
  return (row?.url && origins.find(each => hostOf(each) === hostOf(row.url ?? ''))) || origins[0]
}
