import type { Kysely } from 'kysely'
import type { Tables } from '#manager/store/tables.ts'
import { imageNamesIn } from './image-names.ts'
import { keptReleases } from './queries.ts'

/**
 * Every image that must stay: whatever looks like a reference in the releases that can be gone back to, in what was
 * seen running, in artifacts, and in the plans of deployments that have not ended. It reads everything; what a deployment
 * prunes is asked of pins.ts.
 */
export async function pinnedImages(db: Kysely<Tables>, keepReleases: number): Promise<readonly string[]> {
  const found = new Set<string>()
  const apps = await db.selectFrom('apps').select(['id', 'observed', 'baseline', 'moved_images']).execute()
  for (const { id, observed, baseline, moved_images } of apps) {
    for (const { content } of await keptReleases(db, id, keepReleases)) {
      collect(content, found)
    }
    for (const text of [observed, baseline, moved_images]) {
      collect(text, found)
    }
  }
  const open = await db
    .selectFrom('deployments')
    .select('plan')
    .where('state', 'in', ['queued', 'running', 'waiting'])
    .execute()
  const artifacts = await db.selectFrom('artifacts').select(['image', 'image_id', 'references']).execute()
  for (const { image, image_id, references } of artifacts) {
    add([image, image_id], found)
    collect(references, found)
  }
  for (const { plan } of open) {
    collect(plan, found)
  }
  return [...found]
}

function collect(text: string | null, found: Set<string>): void {
  if (text !== null) {
    add(JSON.parse(text), found)
  }
}

function add(value: unknown, found: Set<string>): void {
  for (const name of imageNamesIn(value)) {
    found.add(name)
  }
}
