import type { Kysely } from 'kysely'
import type { ReadApp } from '#deploy-file/read-apps.ts'
import type { Tables } from '#manager/store/tables.ts'

/** Slugs by folder, as projects of the repository were given them. */
export async function givenSlugs(
  db: Kysely<Tables>,
  repository: string,
): Promise<Readonly<Record<string, string>>> {
  const rows = await db
    .selectFrom('notebook_slugs')
    .select(['folder', 'slug'])
    .where('repository_id', '=', repository)
    .orderBy('folder')
    .execute()
  return Object.fromEntries(rows.map(({ folder, slug }) => [folder, slug]))
}

/** Notes which folder has the name of an app, when it is one of notebooks. */
export async function giveSlug(
  db: Kysely<Tables>,
  repository: string,
  { name, files }: ReadApp,
): Promise<void> {
  const [folder] = files?.kind === 'notebook' ? files.paths : []
  if (folder !== undefined) {
    const content = files?.content ?? null
    const row = { repository_id: repository, folder, slug: name, content }
    await db
      .insertInto('notebook_slugs')
      .values(row)
      .onConflict(conflict => conflict.columns(['repository_id', 'folder']).doUpdateSet(row))
      .execute()
  }
}
