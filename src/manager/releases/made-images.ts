import type { Kysely } from 'kysely'
import { imageName, parseReference } from '#formats/image-reference.ts'
import type { Tables } from '#manager/store/tables.ts'
import { targetNamed } from '#targets/index.ts'
import { newestRelease } from './queries.ts'

export interface Uses {
  readonly repositoryId: string
  /** The apps whose images it runs, as its files call them. */
  readonly uses: readonly string[]
}

/**
 * What the images mean by now that other apps of the repository made, by reference: a digest where a registry has it,
 * else the id that it has on the engine that made it. A tag says the same for every build.
 */
export async function madeImages(
  db: Kysely<Tables>,
  { repositoryId, uses, engine }: Uses & { readonly engine: string | null },
): Promise<Readonly<Record<string, string>>> {
  const made: Record<string, string> = {}
  for (const { app, release } of await releasesOfUsed(db, { repositoryId, uses })) {
    const artifact = targetNamed(release.target ?? '')?.artifact?.({ content: JSON.parse(release.content) })
    for (const [reference, digest] of Object.entries(artifact?.references ?? {})) {
      const parsed = parseReference(reference)
      made[reference] = `${parsed ? imageName(parsed) : reference}@${digest}`
    }
    if (artifact?.imageId !== undefined && app.engine === engine) {
      made[artifact.image] = artifact.imageId
    }
  }
  return made
}

/** Whether one of them was made after that time. */
export async function wasMadeSince(db: Kysely<Tables>, of: Uses, time: number): Promise<boolean> {
  return (await releasesOfUsed(db, of)).some(({ release }) => release.created_at > time)
}

async function releasesOfUsed(db: Kysely<Tables>, { repositoryId, uses }: Uses) {
  const apps =
    uses.length === 0
      ? []
      : await db
          .selectFrom('apps')
          .select(['id', 'engine'])
          .where('repository_id', '=', repositoryId)
          .where('entry', 'in', uses)
          .execute()
  const found = await Promise.all(apps.map(async app => ({ app, release: await newestRelease(db, app.id) })))
  return found.flatMap(({ app, release }) => (release ? [{ app, release }] : []))
}
