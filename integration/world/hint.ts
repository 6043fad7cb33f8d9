import { createHmac, randomUUID } from 'node:crypto'
import type { Together } from '#cli/together.ts'
import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'

const PAUSE_MS = 100
const ENDED = ['succeeded', 'failed', 'cancelled', 'superseded']

/** What a Git host says after a push to the repository; gives how the deployment of its one app ended. */
export async function hint(together: Together, repository: string): Promise<DeploymentDetail> {
  const deployment = await sendHint(together, repository)
  for (;;) {
    const now = await together.client.get<DeploymentDetail>(`/deployments/${deployment}`)
    if (ENDED.includes(now.state)) {
      return now
    }
    await systemClock.sleep(PAUSE_MS)
  }
}

/** Gives the id of the deployment that it asked for. */
export async function sendHint(together: Together, repository: string): Promise<string> {
  const { url, secret } = await together.client.send<{ url: string; secret: string }>(
    'POST',
    `/repositories/${repository}/webhook-secret`,
    { git_host: 'hmac' },
  )
  const body = JSON.stringify({ ref: 'refs/heads/main', nonce: randomUUID() })
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-signature': createHmac('sha256', secret).update(body).digest('hex'),
    },
    body,
  })
  const { deployments } = (await answer.json()) as { deployments: string[] }
  if (!deployments[0]) {
    throw new Error(`the webhook was answered with ${answer.status} and no deployment`)
  }
  return deployments[0]
}
