import type { Selectable } from 'kysely'
import type { ReadApp } from '#deploy-file/read-apps.ts'
import { newId } from '#lib/id.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { inTransaction } from '#manager/store/transaction.ts'

/**
 * Creates the apps that a repository describes and nobody created yet, and requests their first deployment.
 * A name that is taken by an app of another repository is left alone. Gives the names created.
 */
export async function createMissingApps(
  context: DeploymentsContext,
  repository: Selectable<RepositoryTable>,
  described: readonly ReadApp[],
): Promise<string[]> {
  const { db, clock } = context
  const created: string[] = []
  for (const entry of described) {
    const taken = await db.selectFrom('apps').select('id').where('name', '=', entry.name).executeTakeFirst()
    if (taken) {
      continue
    }
    const id = newId()
    const now = clock.now()
    const approval = await approvalOf(db, repository.id)
    await inTransaction(db, async transaction => {
      await transaction
        .insertInto('apps')
        .values({
          id,
          name: entry.name,
          repository_id: repository.id,
          entry: entry.name,
          target: entry.target,
          overrides: '{}',
          host: repository.host,
          approval,
          version: 1,
          created_at: now,
          updated_at: now,
        })
        .execute()
      const trigger = { kind: 'registration', by: repository.name } as const
      await requestDeployment({ ...context, db: transaction }, { appId: id, kind: 'deploy', trigger })
    })
    created.push(entry.name)
  }
  return created
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
