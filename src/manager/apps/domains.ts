import type { Kysely } from 'kysely'
import { hostOfPlace, overlaps } from '#lib/place.ts'
import { DOMAIN_TAKEN_BY_APP } from '#manager/pipeline/errors.ts'
import type { EndedPipeline } from '#manager/pipeline/step.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'

/** Takes the domains for the app, all or none; DOMAIN_TAKEN_BY_APP if another app has one, or a part of it, or all of its host. */
export async function claimDomains(
  db: Kysely<Tables>,
  appId: string,
  domains: readonly string[],
): Promise<void> {
  await inTransaction(db, async transaction => {
    for (const host of domains) {
      await transaction
        .insertInto('domains')
        .values({ host, app_id: appId })
        .onConflict(conflict => conflict.column('host').doNothing())
        .execute()
      if (await isTaken(transaction, appId, host)) {
        throw DOMAIN_TAKEN_BY_APP(host)
      }
    }
  })
}

async function isTaken(db: Kysely<Tables>, appId: string, place: string): Promise<boolean> {
  const host = hostOfPlace(place)
  const others = await db
    .selectFrom('domains')
    .select('host')
    .where('app_id', '!=', appId)
    // All that begins with the host and a slash: "0" comes next.
    .where(eb =>
      eb.or([eb('host', '=', host), eb.and([eb('host', '>=', `${host}/`), eb('host', '<', `${host}0`)])]),
    )
    .execute()
  return others.some(other => overlaps(place, other.host))
}

/** Gives back what the ended deployment no longer needs: after a success all domains but the ones it serves. */
export async function releaseDomains(db: Kysely<Tables>, appId: string, end: EndedPipeline): Promise<void> {
  if (end.state !== 'succeeded' || end.domains === undefined) {
    return
  }
  await db
    .deleteFrom('domains')
    .where('app_id', '=', appId)
    .where(eb => eb.not(eb('host', 'in', [...(end.domains ?? []), ''])))
    .execute()
}
