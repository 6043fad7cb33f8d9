import { type Kysely, sql } from 'kysely'
import { newId } from '#lib/id.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { FileSecrets } from './encrypted-files.ts'
import { SECRET_REVISION_GONE } from './errors.ts'
import type { OpenSecrets, SecretsContext } from './queries.ts'

const MARK = 'file:'

/** Keeps what an app took from encrypted files, sealed, so that its release can be brought back without them. */
export async function keepFileSecrets(
  { db, clock, sealer }: SecretsContext,
  appId: string,
  { values, digest }: FileSecrets,
): Promise<OpenSecrets> {
  const id = newId()
  const values_sealed = sealer.seal(JSON.stringify(values), fileSecretsPlace(id))
  await db
    .insertInto('file_secrets')
    .values({ id, app_id: appId, digest, values_sealed, created_at: clock.now() })
    .onConflict(same => same.columns(['app_id', 'digest']).doNothing())
    .execute()
  const row = await db
    .selectFrom('file_secrets')
    .select('id')
    .where('app_id', '=', appId)
    .where('digest', '=', digest)
    .executeTakeFirstOrThrow()
  const revisions = Object.keys(values).map(name => [name, MARK + row.id])
  return { values, revisions: Object.fromEntries(revisions) }
}

/** Whether a revision is of a value from an encrypted file: the commit says which one, not the database. */
export function isOfFile(revision: number | string): revision is string {
  return typeof revision === 'string' && revision.startsWith(MARK)
}

/** The very values that a release of the app was made with, by name. SECRET_REVISION_GONE. */
export async function valuesOfFiles(
  { db, sealer }: Omit<SecretsContext, 'clock'>,
  appId: string,
  revisions: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const wanted = Object.entries(revisions).map(([name, mark]) => [name, mark.slice(MARK.length)] as const)
  const values: Record<string, string> = {}
  for (const id of new Set(wanted.map(([, each]) => each))) {
    const row = await db
      .selectFrom('file_secrets')
      .select('values_sealed')
      .where('id', '=', id)
      .where('app_id', '=', appId)
      .executeTakeFirst()
    const held = JSON.parse(row ? sealer.open(row.values_sealed, fileSecretsPlace(id)) : '{}')
    for (const [name] of wanted.filter(([, each]) => each === id)) {
      if (!Object.hasOwn(held, name)) {
        throw SECRET_REVISION_GONE(name, 'from an encrypted file')
      }
      values[name] = held[name]
    }
  }
  return values
}

/** Those that no release was made with; a deployment that is at work may have just kept its own. */
export async function forgetFileSecrets(db: Kysely<Tables>): Promise<void> {
  await db
    .deleteFrom('file_secrets')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('releases')
            .select('releases.id')
            .where(sql<boolean>`instr(releases.secrets, file_secrets.id) > 0`),
        ),
      ),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('deployments')
            .select('deployments.id')
            .whereRef('deployments.app_id', '=', 'file_secrets.app_id')
            .where('state', 'in', ['running', 'waiting']),
        ),
      ),
    )
    .execute()
}

export function fileSecretsPlace(id = ''): string {
  return `file-secrets/${id}`
}
