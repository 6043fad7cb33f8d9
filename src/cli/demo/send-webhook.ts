import { createHmac } from 'node:crypto'
import { newId } from '#lib/id.ts'

export interface Hook {
  readonly url: string
  readonly secret: string
}

export interface PushedRef {
  readonly ref: string
  readonly before: string
  readonly after: string
}

/**
 * Tells a manager about a push as GitHub does: signed, with an id of its own. Gives the deployments it started; 200 is
 * what it says to a push that starts none.
 */
export async function sendWebhook(
  hook: Hook,
  { ref, before, after }: PushedRef,
  expected: 200 | 202 = 202,
): Promise<readonly string[]> {
  const body = JSON.stringify({ ref, before, after, repository: { id: 1 } })
  const answer = await fetch(hook.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': newId(),
      'x-hub-signature-256': `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}`,
    },
    body,
  })
  const said = await answer.text()
  if (answer.status !== expected) {
    throw new Error(`the manager answers the webhook with ${answer.status}: ${said.slice(0, 500)}`)
  }
  return (JSON.parse(said) as { deployments?: string[] }).deployments ?? []
}
