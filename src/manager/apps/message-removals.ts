import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { ReadApp } from '#deploy-file/read-apps.ts'
import { canonicalJson } from '#lib/canonical-json.ts'
import type { Tables } from '#manager/store/tables.ts'

/** An app as a checkout describes it. */
export interface DescribedHere {
  readonly app: ReadApp
  readonly texts: Readonly<Record<string, string>>
}

/** Notes that the message of a commit took an app down: it stays so while its files say the same. */
export async function noteMessageRemoval(
  db: Kysely<Tables>,
  { repository, app, texts, now }: DescribedHere & { readonly repository: string; readonly now: number },
): Promise<void> {
  const said = { fingerprint: fingerprintOf({ app, texts }), created_at: now }
  await db
    .insertInto('message_removals')
    .values({ repository_id: repository, entry: app.name, ...said })
    .onConflict(conflict => conflict.columns(['repository_id', 'entry']).doUpdateSet(said))
    .execute()
}

/** Tells of which apps of a repository a message took down and whose files have said the same since. */
export async function takenDown(
  db: Kysely<Tables>,
  repository: string,
): Promise<(described: DescribedHere) => boolean> {
  const rows = await db
    .selectFrom('message_removals')
    .select(['entry', 'fingerprint'])
    .where('repository_id', '=', repository)
    .execute()
  return described =>
    rows.some(row => row.entry === described.app.name && row.fingerprint === fingerprintOf(described))
}

export async function forgetMessageRemovals(
  db: Kysely<Tables>,
  repository: string,
  entries: readonly string[],
): Promise<void> {
  if (entries.length > 0) {
    await db
      .deleteFrom('message_removals')
      .where('repository_id', '=', repository)
      .where('entry', 'in', entries)
      .execute()
  }
}

/** Where its files lie says nothing. */
function fingerprintOf({ app, texts }: DescribedHere): string {
  const said = (app.files?.paths ?? []).map(path => texts[path] ?? '').sort()
  return createHash('sha256')
    .update(canonicalJson([app.target, app.files ? (app.files.fingerprint ?? said) : app.settings]))
    .digest('hex')
}
