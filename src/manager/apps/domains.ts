import type { Kysely } from 'kysely'
import { DOMAIN_TAKEN_BY_APP } from '#manager/pipeline/errors.ts'
import type { EndedPipeline } from '#manager/pipeline/step.ts'
import type { Tables } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'

/** Takes the domains for the app, all or none; DOMAIN_TAKEN_BY_APP if another app has one. */
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
      const owner = await transaction
        .selectFrom('domains')
        .select('app_id')
        .where('host', '=', host)
        .executeTakeFirstOrThrow()
      if (owner.app_id !== appId) {
        throw DOMAIN_TAKEN_BY_APP(host)
      }
    }
  })
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
