import type { Clock } from '#lib/clock.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import type { Events } from '#manager/deployments/events.ts'
import { readDeployment } from '#manager/deployments/queries.ts'
import type { ApiParts } from './parts.ts'

const ENDED: readonly string[] = ['succeeded', 'failed', 'cancelled', 'superseded']

export function hasEnded(deployment: Pick<Deployment, 'state'>): boolean {
  return ENDED.includes(deployment.state)
}

/** The deployment when it has ended or waits for an approval, or as it is after so many seconds (default: no limit) or when nobody waits any more. */
export async function waitForEnd(
  parts: Pick<ApiParts, 'db' | 'events' | 'clock'>,
  deployment: Deployment,
  { seconds, gone }: { readonly seconds?: number; readonly gone: AbortSignal },
): Promise<Deployment> {
  const ended = stateOf(parts.events, deployment.id, [...ENDED, 'waiting'])
  try {
    const now = await readDeployment(parts.db, deployment.id)
    if (!hasEnded(now) && now.state !== 'waiting') {
      const late = seconds === undefined ? [] : [passed(parts.clock, seconds)]
      await Promise.race([ended.promise, aborted(gone), ...late])
    }
  } finally {
    ended.close()
  }
  return await readDeployment(parts.db, deployment.id)
}

/** Resolves when an event tells that the deployment has ended. */
export function endOf(events: Events, id: string): Told {
  return stateOf(events, id, ENDED)
}

interface Told {
  readonly promise: Promise<void>
  close(): void
}

function stateOf(events: Events, id: string, states: readonly string[]): Told {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { close } = events.subscribe(undefined, event => {
    const { fields } = event
    if (event.kind === 'deployment' && fields.id === id && states.includes(String(fields.state))) {
      resolve()
    }
  })
  return { promise, close }
}

function passed(clock: Clock, seconds: number): Promise<void> {
  return new Promise(resolve => void clock.after(seconds * 1000, resolve))
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
