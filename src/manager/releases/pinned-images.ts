import type { Kysely } from 'kysely'
import { parseReference } from '#formats/image-reference.ts'
import type { Tables } from '#manager/store/tables.ts'
import { keptReleases } from './queries.ts'

const IMAGE_ID = /^sha256:[0-9a-f]{64}$/
const BETWEEN_WORDS = /[\s"'`,;=<>{}[\]()]+/

/**
 * Every image that must stay: whatever looks like a reference in the releases that can be gone back to, in what was
 * seen running, in artifacts, and in the plans of deployments that have not ended. Read from the texts themselves, so that it holds
 * for every kind of app; a word too many keeps an image too many.
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
    walk([image, image_id], found)
    collect(references, found)
  }
  for (const { plan } of open) {
    collect(plan, found)
  }
  return [...found]
}

function collect(text: string | null, found: Set<string>): void {
  if (text !== null) {
    walk(JSON.parse(text), found)
  }
}

function walk(value: unknown, found: Set<string>): void {
  if (typeof value === 'string') {
    for (const name of value.split(BETWEEN_WORDS).flatMap(preciseNames)) {
      found.add(name)
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const each of Object.entries(value).flat()) {
      walk(each, found)
    }
  }
}

/** With a tag or a digest, or the id of an image: a bare name could be any word. A digest counts under every name. */
function preciseNames(word: string): readonly string[] {
  if (!/[:@]/.test(word)) {
    return []
  }
  const { tag, digest } = parseReference(word) ?? {}
  return [...(IMAGE_ID.test(word) || tag || digest ? [word] : []), ...(digest ? [digest] : [])]
}
