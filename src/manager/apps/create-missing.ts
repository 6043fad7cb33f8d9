import type { Selectable } from 'kysely'
import type { ReadApp } from '#deploy-file/read-apps.ts'
import { newId } from '#lib/id.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import { noteMove } from '#manager/notebooks/moves.ts'
import { giveSlug } from '#manager/notebooks/slugs.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'

export interface CreatedApps {
  readonly created: readonly string[]
  /** Names that it describes and that are apps of somebody else: these are left alone. */
  readonly taken: readonly string[]
}

/** Creates the apps that a repository describes and nobody created yet, and requests their first deployment. */
export async function createMissingApps(
  context: DeploymentsContext,
  repository: Selectable<RepositoryTable>,
  described: readonly ReadApp[],
): Promise<CreatedApps> {
  const { db, clock } = context
  const created: string[] = []
  const taken: string[] = []
  const known = await appsNamed(
    db,
    described.map(({ name }) => name),
  )
  for (const entry of described) {
    const other = known.get(entry.name)
    if (other) {
      taken.push(...(other.repository_id === repository.id ? [] : [entry.name]))
      continue
    }
    const id = newId()
    const now = clock.now()
    const approval = await approvalOf(db, repository.id)
    const isNew = await inTransaction(db, async transaction => {
      // Another deployment of the repository may see the same file.
      if (await appNamed(transaction, entry.name)) {
        return false
      }
      const row = { ...newAppRow(repository, entry), id, approval, created_at: now, updated_at: now }
      await transaction.insertInto('apps').values(row).execute()
      await noteMove(transaction, { repository: repository.id, app: entry, described, now })
      await giveSlug(transaction, repository.id, entry)
      const trigger = { kind: 'registration', by: repository.name } as const
      await requestDeployment({ ...context, db: transaction }, { appId: id, kind: 'deploy', trigger })
      return true
    })
    created.push(...(isNew ? [entry.name] : []))
  }
  return { created, taken }
}

/** What an app is at first, but for its id and times. */
export function newAppRow(repository: Selectable<RepositoryTable>, entry: ReadApp) {
  const { name, target, files } = entry
  return {
    ...{ name, repository_id: repository.id, entry: name, target, overrides: '{}' },
    ...{ host: repository.host, by_files: files?.kind ?? null, version: 1 },
  }
}

export async function appNamed(db: DeploymentsContext['db'], name: string) {
  return (await appsNamed(db, [name])).get(name)
}

/** In one question: a repository may describe hundreds, and each of their deployments looks for the others. */
async function appsNamed(db: DeploymentsContext['db'], names: readonly string[]) {
  const rows = await db
    .selectFrom('apps')
    .select(['name', 'repository_id'])
    .where('name', 'in', names)
    .execute()
  return new Map(rows.map(row => [row.name, row]))
}

/** Who may only propose changes to one app of a repository does not get round that by describing another one. */
async function approvalOf(db: DeploymentsContext['db'], repositoryId: string): Promise<1 | null> {
  const guarded = await db
    .selectFrom('apps')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .where('approval', '=', 1)
    .limit(1)
    .executeTakeFirst()
  return guarded ? 1 : null
}
