import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'

/** A deployment that has ended, or is planned anew when it goes on, does not need what it found out. */
export async function forgetFacts(db: Kysely<Tables>, deployment: string): Promise<void> {
  await db.deleteFrom('kept_facts').where('deployment_id', '=', deployment).execute()
}
