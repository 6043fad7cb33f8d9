import { createHash } from 'node:crypto'
import { routeAdmit } from '#commands/route-admit.ts'
import { newId, randomText } from '#lib/id.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { readApp } from './queries.ts'

/** Long enough to follow a link, too short to pass it on. */
const VALID_MS = 5 * 60_000

export interface OpenedVisit {
  readonly url: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** A link that lets one person visit a guarded app, once. Throws NAME_OPEN for one that everybody may visit. */
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
    visitor: visitor.slice(0, 200),
    until: expiresAt,
  }
  const { name: command, deadlineMs } = routeAdmit
  const told = { id: newId(), command, params, deadlineMs, waitMs: 0 }
  const { origins } = (await agents.tell(app.host, told)) as { origins: readonly string[] }
  const query = new URLSearchParams({ s: ticket, ...(to === '/' ? {} : { to }) })
  return { url: `${origins[0]}/_fairlead/open?${query}`, expiresAt }
}
