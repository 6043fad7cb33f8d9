import { createHmac } from 'node:crypto'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'

const TIMES = 200
const AGAIN_MS = 100

export interface Pushed {
  readonly ref: string
  readonly before: string
  readonly after: string
}

/** Delivers a push as a Git host does: the same delivery again for as long as nobody acknowledges it. */
export async function deliver(
  hook: { readonly url: string; readonly secret: string },
  pushed: Pushed,
): Promise<readonly string[]> {
  const body = JSON.stringify({ ...pushed, repository: { id: 1 } })
  const request = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': newId(),
      'x-hub-signature-256': `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}`,
    },
    body,
  }
  for (let tries = 0; tries < TIMES; tries++) {
    const answer = await fetch(hook.url, request).catch(() => undefined)
    if (answer?.ok) {
      return ((await answer.json()) as { deployments: string[] }).deployments
    }
    await systemClock.sleep(AGAIN_MS)
  }
  throw new Error('the manager acknowledges no delivery')
}
