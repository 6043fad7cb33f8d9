import type { Session } from '#cli/session.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'

/** The deployment, once it has ended. */
export async function untilEnd(
  { client, clock }: Session,
  id: string,
  everyMs = 20,
): Promise<DeploymentDetail> {
  for (;;) {
    const deployment = await client.get<DeploymentDetail>(`/deployments/${id}`)
    if (deployment.finished_at !== null) {
      return deployment
    }
    await clock.sleep(everyMs)
  }
}
