import type { Client } from '#cli/client.ts'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'

export async function deploymentIds(client: Client): Promise<string[]> {
  const { items } = await client.get<{ items: DeploymentDocument[] }>('/deployments')
  return items.map(({ id }) => id)
}

/** How the deployments ended that are not among the known ones, by app, once there are so many. */
export async function deploymentsAfter(
  client: Client,
  known: readonly string[],
  { count, check }: { readonly count: number; readonly check?: () => Promise<void> },
): Promise<DeploymentDetail[]> {
  for (;;) {
    const { items } = await client.get<{ items: DeploymentDocument[] }>('/deployments')
    const news = items.filter(({ id }) => !known.includes(id))
    if (news.length >= count && news.every(({ finished_at }) => finished_at !== null)) {
      const ended = await Promise.all(
        news.map(({ id }) => client.get<DeploymentDetail>(`/deployments/${id}`)),
      )
      return ended.sort((a, b) => (`${a.app} ${a.id}` < `${b.app} ${b.id}` ? -1 : 1))
    }
    await check?.()
    await systemClock.sleep(100)
  }
}
