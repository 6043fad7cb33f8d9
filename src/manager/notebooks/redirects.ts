import type { Selectable } from 'kysely'
import { routeRedirect } from '#commands/route-redirect.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import type { Timer } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { overlaps, placesAt } from '#lib/place.ts'
import { repeat } from '#lib/repeat.ts'
import { AGENT_OFFLINE } from '#manager/agents/errors.ts'
import { unknownCommands } from '#manager/agents/unknown-commands.ts'
import type { ManagerParts } from '#manager/parts.ts'
import type { NotebookMoveTable } from '#manager/store/notebook-tables.ts'

const EVERY_MS = 5_000
/** A proxy that lost its configuration gets it back. */
const TOLD_AGAIN_MS = 3_600_000
/** After an answer that says that it cannot be. */
const TRY_AGAIN_MS = 600_000

type Parts = Pick<ManagerParts, 'db' | 'agents' | 'clock' | 'logger'>
type Move = Selectable<NotebookMoveTable>

/** Leads whoever asks at the old address of a notebook to its new one, for as long as the old one is nobody's. */
export function startRedirects(parts: Parts): Timer {
  const failed = new Map<string, number>()
  return repeat(parts.clock, EVERY_MS, {
    work: () => settleRedirects(parts, failed),
    onError: error => parts.logger.warn('redirects.failed', { reason: error.message }),
  })
}

/** Brings the proxies to where the table wants them. `failed`: when a worker refused, by the old name. */
export async function settleRedirects(parts: Parts, failed = new Map<string, number>()): Promise<void> {
  const { db, clock } = parts
  const moves = await db.selectFrom('notebook_moves').selectAll().execute()
  const claims = moves.length === 0 ? [] : await db.selectFrom('domains').select('host').execute()
  for (const move of moves) {
    const now = clock.now()
    const { wanted, isOver } = await wantedOf(parts, move, claims)
    const params = { name: move.from_app, ...(wanted ?? { hosts: [] }) }
    const text = canonicalJson(params)
    const isTold =
      move.told === null
        ? wanted === undefined
        : move.told === text && (wanted === undefined || now - (move.told_at ?? 0) < TOLD_AGAIN_MS)
    const rests = now - (failed.get(move.from_app) ?? Number.NEGATIVE_INFINITY) < TRY_AGAIN_MS
    if (!isTold && (rests || !(await tell(parts, move, { params, failed })))) {
      continue
    }
    if (isOver) {
      await db.deleteFrom('notebook_moves').where('from_app', '=', move.from_app).execute()
    } else if (!isTold) {
      await db
        .updateTable('notebook_moves')
        .set({ told: text, told_at: now })
        .where('from_app', '=', move.from_app)
        .execute()
    }
  }
}

/** What the proxy is to have; nothing while the old one still serves, the new one does not yet, or it is over. */
async function wantedOf({ db, clock }: Parts, move: Move, claims: readonly { readonly host: string }[]) {
  const [holder, now] = await Promise.all([
    db.selectFrom('apps').select('id').where('name', '=', move.from_app).executeTakeFirst(),
    db
      .selectFrom('notebooks')
      .innerJoin('apps', 'apps.name', 'notebooks.app')
      .select('url')
      .where('app', '=', move.to_app)
      .executeTakeFirst(),
  ])
  // It has begun only when the old one was gone: who has the name by then is another one.
  const isOver = move.until <= clock.now() || (holder !== undefined && move.told !== null)
  const url = now?.url ? new URL(now.url) : undefined
  const prefix = move.prefix ?? undefined
  const free = (JSON.parse(move.hosts) as string[]).filter(host =>
    placesAt({ hosts: [host], prefix }).every(place => !claims.some(claim => overlaps(claim.host, place))),
  )
  const wanted =
    isOver || holder || !url || free.length === 0
      ? undefined
      : {
          hosts: free,
          ...(prefix === undefined ? {} : { prefix }),
          to: { host: url.hostname, ...(url.pathname === '/' ? {} : { prefix: url.pathname }) },
        }
  return { wanted, isOver }
}

/** Whether its worker has heard it, or there is none any more. */
async function tell(
  { db, agents, clock, logger }: Parts,
  { from_app: app, host }: Move,
  { params, failed }: { readonly params: object; readonly failed: Map<string, number> },
): Promise<boolean> {
  const known = await db.selectFrom('hosts').select('name').where('name', '=', host).executeTakeFirst()
  const { name: command, deadlineMs } = routeRedirect
  if (!known) {
    return true
  }
  // Doctor says that it is too old.
  if (unknownCommands(agents, host, [command]).length > 0) {
    return false
  }
  try {
    await agents.tell(host, { id: newId(), command, params, deadlineMs, waitMs: 0 })
    failed.delete(app)
    return true
  } catch (thrown) {
    if (!AGENT_OFFLINE.matches(thrown)) {
      failed.set(app, clock.now())
      const { code, message } = asFairleadError(thrown)
      logger.warn('redirects.not-set', { app, host, code, message })
    }
    return false
  }
}
