import { type Kysely, sql } from 'kysely'
import { imageNamesIn } from '#manager/releases/image-names.ts'

/** What releases and artefacts name, so that whoever prunes can ask for single images. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) {
    await sql.raw(statement).execute(db)
  }
  const releases = await sql<{ id: string; content: string }>`select id, content from releases`.execute(db)
  for (const { id, content } of releases.rows) {
    for (const pin of imageNamesIn(JSON.parse(content))) {
      await sql`insert into image_pins (pin, release_id) values (${pin}, ${id})`.execute(db)
    }
  }
  const artifacts = await sql<{ id: string; image: string; image_id: string | null; references: string }>`
    select id, image, image_id, "references" from artifacts`.execute(db)
  for (const { id, image, image_id, references } of artifacts.rows) {
    for (const pin of imageNamesIn([image, image_id, JSON.parse(references)])) {
      await sql`insert into image_pins (pin, artifact_id) values (${pin}, ${id})`.execute(db)
    }
  }
}

const STATEMENTS = [
  `create table image_pins (pin text not null, release_id text references releases(id) on delete cascade,
    artifact_id text references artifacts(id) on delete cascade)`,
  'create index image_pins_by_pin on image_pins (pin)',
  'create index image_pins_by_release on image_pins (release_id) where release_id is not null',
  'create index image_pins_by_artifact on image_pins (artifact_id) where artifact_id is not null',
]
