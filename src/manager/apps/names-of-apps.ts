import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'

/** All names that this manager's apps have, and had: what carries another one belongs to somebody else. */
export async function namesOfApps(db: Kysely<Tables>): Promise<{ ours: string[]; present: string[] }> {
  const [apps, past] = await Promise.all([
    db.selectFrom('apps').select('name').execute(),
    db.selectFrom('past_deployments').select('app').distinct().execute(),
  ])
  const present = apps.map(({ name }) => name)
  return { present, ours: [...new Set([...present, ...past.map(({ app }) => app)])] }
}
