import type { Selectable } from 'kysely'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import type { RepositoryTable } from '#manager/store/tables.ts'
import { appsBehind } from './apps-behind.ts'

type Repository = Pick<Selectable<RepositoryTable>, 'id' | 'name' | 'last_tip'>

/** Requests deployments of the repository's apps that are behind the tip of its branch. Gives how many. */
export async function coverTip(
  context: DeploymentsContext,
  repository: Repository,
  tip: string,
): Promise<number> {
  const behind = await appsBehind(context.db, repository, { tip, now: context.clock.now() })
  for (const appId of behind) {
    const trigger = { kind: 'poll', by: repository.name, detail: tip } as const
    await requestDeployment(context, { appId, kind: 'deploy', trigger })
  }
  return behind.length
}
