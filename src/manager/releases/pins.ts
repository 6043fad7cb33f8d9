import { type Kysely, sql } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'
import { imageNamesIn } from './image-names.ts'
import { keptReleases } from './queries.ts'

/** So many rows in one statement: each takes parameters, and the database has a limit. */
const AT_ONCE = 1_000

export type PinHolder = { readonly release_id: string } | { readonly artifact_id: string }

/** Writes down which images a release or an artefact names, in the transaction that makes it. */
export async function notePins(db: Kysely<Tables>, holder: PinHolder, content: unknown): Promise<void> {
  const rows = [...imageNamesIn(content)].map(pin => ({ pin, ...holder }))
  for (let from = 0; from < rows.length; from += AT_ONCE) {
    await db
      .insertInto('image_pins')
      .values(rows.slice(from, from + AT_ONCE))
      .execute()
  }
}

export interface PinQuestion {
  readonly names: readonly string[]
  /** Id of the app that asks: it says by itself what its releases need. */
  readonly exceptApp: string
  readonly keepReleases: number
}

/**
 * Which of these names, digests and ids must stay for others: an artefact names them, a release of another app that can
 * be gone back to, or the plan of another app's deployment that has not ended. Looks for these alone, however many apps
 * there are.
 */
export async function pinnedAmong(
  db: Kysely<Tables>,
  { names, exceptApp, keepReleases }: PinQuestion,
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('image_pins')
    .leftJoin('releases', 'releases.id', 'image_pins.release_id')
    .select(['pin', 'artifact_id', 'release_id', 'releases.app_id'])
    .where('pin', 'in', sql<string>`(select value from json_each(${JSON.stringify(names)}))`)
    .execute()
  const pinned = new Set(await namedInOpenPlans(db, names, exceptApp))
  const byApp = Map.groupBy(rows, row => (row.artifact_id === null ? row.app_id : null))
  for (const [app, held] of byApp) {
    if (app === exceptApp) {
      continue
    }
    const kept =
      app === null ? undefined : (await keptReleases(db, app, keepReleases)).map(release => release.id)
    for (const { pin, release_id } of held) {
      if (kept === undefined || kept.includes(release_id ?? '')) {
        pinned.add(pin)
      }
    }
  }
  return pinned
}

async function namedInOpenPlans(
  db: Kysely<Tables>,
  names: readonly string[],
  exceptApp: string,
): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select distinct wanted.value as name from deployments, json_each(${JSON.stringify(names)}) as wanted
    where deployments.state in ('queued', 'running', 'waiting') and deployments.app_id <> ${exceptApp}
      and instr(deployments.plan, wanted.value) > 0`.execute(db)
  return rows.map(({ name }) => name)
}
