import { type Kysely, sql } from 'kysely'
import { idempotencyPlace, requestPlace } from '#manager/api/idempotency.ts'
import { joinTokenPlace } from '#manager/hosts/join-tokens.ts'
import { leaderKeyPlace, sharedFilePlace } from '#manager/leadership/sealed-places.ts'
import { channelPlace } from '#manager/notifications/channels.ts'
import { tokenPlace } from '#manager/organisations/queries.ts'
import { providerPlace } from '#manager/people/providers.ts'
import { factorPlace } from '#manager/people/second-factor.ts'
import { factsPlace } from '#manager/pipeline/kept-facts.ts'
import { settingsPlace } from '#manager/releases/queries.ts'
import { reportTokenPlace } from '#manager/reporting/set-report.ts'
import { hookSecretPlace } from '#manager/repositories/hook-secrets.ts'
import type { Tables } from '#manager/store/tables.ts'
import { backupPlace } from '#manager/systems/backup-place.ts'
import { SEALED_VALUE_DAMAGED } from './errors.ts'
import { fileSecretsPlace } from './file-secrets.ts'
import { secretPlace } from './queries.ts'
import { repositoryKeyPlace } from './repository-keys.ts'
import type { Sealer } from './seal.ts'
import { sharedSecretPlace } from './shared.ts'

type Row = Readonly<Record<string, string | null>>

/** A column whose values are sealed. */
export interface SealedColumn {
  readonly table: string
  readonly column: string
  /** What tells its rows apart. */
  readonly key: readonly string[]
  /** What is bound into the value of a row, given its key. */
  readonly place: (...key: string[]) => string
}

/** Every sealed column but the mark of the key itself; a test compares it with the database. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  {
    ...{ table: 'repositories', column: 'credential_sealed', key: ['id'] },
    place: (id = '') => `repositories/${id}/credential`,
  },
  { table: 'organisations', column: 'credential_sealed', key: ['id'], place: tokenPlace },
  { table: 'reports', column: 'token_sealed', key: ['repository_id'], place: reportTokenPlace },
  { table: 'hooks', column: 'secret_sealed', key: ['id'], place: hookSecretPlace },
  { table: 'hooks', column: 'previous_sealed', key: ['id'], place: hookSecretPlace },
  { table: 'secrets', column: 'value_sealed', key: ['app_id', 'name'], place: secretPlace },
  {
    ...{ table: 'secret_revisions', column: 'value_sealed', key: ['app_id', 'name', 'revision'] },
    place: secretPlace,
  },
  { table: 'repository_keys', column: 'identity_sealed', key: ['id'], place: repositoryKeyPlace },
  { table: 'file_secrets', column: 'values_sealed', key: ['id'], place: fileSecretsPlace },
  { table: 'shared_secrets', column: 'value_sealed', key: ['id'], place: sharedSecretPlace },
  { table: 'releases', column: 'settings_sealed', key: ['app_id', 'id'], place: settingsPlace },
  { table: 'kept_facts', column: 'facts_sealed', key: ['deployment_id'], place: factsPlace },
  { table: 'channels', column: 'target_sealed', key: ['id'], place: channelPlace },
  { table: 'people', column: 'totp_sealed', key: ['id'], place: factorPlace },
  { table: 'providers', column: 'secret_sealed', key: ['id'], place: providerPlace },
  { table: 'system_backups', column: 'identity_sealed', key: ['id'], place: backupPlace },
  { table: 'join_tokens', column: 'secret_sealed', key: ['id'], place: joinTokenPlace },
  { table: 'leader', column: 'key_sealed', key: ['epoch'], place: leaderKeyPlace },
  { table: 'shared_files', column: 'content_sealed', key: ['name'], place: sharedFilePlace },
  { table: 'idempotency', column: 'response', key: ['token_id', 'key'], place: idempotencyPlace },
  { table: 'idempotency', column: 'request_sealed', key: ['token_id', 'key'], place: requestPlace },
]

export interface Resealed {
  /** Values that were sealed with an older key. */
  readonly moved: number
  /** table.column of values that no key opens, and of columns that are not in the list: the older keys are kept for them. */
  readonly left: readonly string[]
}

/** Seals every value with the first key of `ring`, in the transaction of `db`. `first` knows that key only. */
export async function resealAll(db: Kysely<Tables>, ring: Sealer, first: Sealer): Promise<Resealed> {
  const left = await unlisted(db)
  let moved = 0
  for (const each of SEALED_COLUMNS) {
    const { table, column, key } = each
    const names = [...key, column].map(name => sql.ref(name))
    const { rows } = await sql<Row>`
      select ${sql.join(names)} from ${sql.table(table)} where ${sql.ref(column)} is not null
    `.execute(db)
    for (const row of rows) {
      const sealed = row[column] ?? ''
      const place = each.place(...key.map(name => String(row[name])))
      if (opened(first, sealed, place) !== undefined) {
        continue
      }
      const text = opened(ring, sealed, place)
      if (text === undefined) {
        left.push(`${table}.${column}`)
        continue
      }
      const where = key.map(name => sql`${sql.ref(name)} = ${row[name]}`)
      await sql`
        update ${sql.table(table)} set ${sql.ref(column)} = ${first.seal(text, place)}
        where ${sql.join(where, sql` and `)}
      `.execute(db)
      moved += 1
    }
  }
  return { moved, left: [...new Set(left)] }
}

/** Columns that say of themselves that they are sealed, and that nobody added here. */
async function unlisted(db: Kysely<Tables>): Promise<string[]> {
  const tables = await db.introspection.getTables()
  return tables.flatMap(({ name: table, columns }) =>
    columns
      .filter(({ name }) => name.endsWith('_sealed'))
      .filter(({ name }) => !SEALED_COLUMNS.some(each => each.table === table && each.column === name))
      .map(({ name }) => `${table}.${name}`),
  )
}

function opened(sealer: Sealer, sealed: string, place: string): string | undefined {
  try {
    return sealer.open(sealed, place)
  } catch (error) {
    if (SEALED_VALUE_DAMAGED.matches(error)) {
      return undefined
    }
    throw error
  }
}
