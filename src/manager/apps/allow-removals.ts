import { requestDeployment } from '#manager/deployments/request.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { repositoryNamed } from '#manager/repositories/queries.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { REMOVAL_NOT_HELD } from './errors.ts'
import { heldRemovals } from './held-removals.ts'

interface Agreement {
  readonly repository: string
  /** Names of the apps that may go: those that the person has seen. */
  readonly apps: readonly string[]
  /** Name of the token. */
  readonly by: string
}

/**
 * Notes that a person agrees to the removals, and has the files looked at again: an app whose file came back meanwhile is
 * deployed instead.
 */
export async function allowRemovals(parts: ManagerParts, { repository, apps, by }: Agreement) {
  const { id } = await repositoryNamed(parts.db, repository)
  const allowed = await inTransaction(parts.db, async db => {
    const held = await heldRemovals(db, id)
    const waiting = held.filter(({ allowed_by }) => allowed_by === null)
    const unknown = apps.filter(name => !waiting.some(each => each.name === name))
    if (unknown.length > 0) {
      throw REMOVAL_NOT_HELD(repository, unknown)
    }
    for (const each of waiting.filter(({ name }) => apps.includes(name))) {
      await db
        .updateTable('held_removals')
        .set({ allowed_by: by, allowed_at: parts.clock.now() })
        .where('app_id', '=', each.id)
        .execute()
      const trigger = { kind: 'api', by } as const
      await requestDeployment({ ...parts, db }, { appId: each.id, kind: 'deploy', trigger })
    }
    return await heldRemovals(db, id)
  })
  parts.wake()
  return allowed
}
