import type { Clock } from '#lib/clock.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import type { Events, ManagerEvent } from '#manager/deployments/events.ts'
import { readDeployment } from '#manager/deployments/queries.ts'
import type { ApiParts } from './parts.ts'

const ENDED: readonly string[] = ['succeeded', 'failed', 'cancelled', 'superseded']

export function hasEnded(deployment: Pick<Deployment, 'state'>): boolean {
  return ENDED.includes(deployment.state)
}

/** The deployment when it has ended, waits for an approval or is held because its app was paused, or as it is after so many seconds (default: no limit) or when nobody waits any more. */
export async function waitForEnd(
  parts: Pick<ApiParts, 'db' | 'events' | 'clock'>,
  deployment: Deployment,
  { seconds, gone }: { readonly seconds?: number; readonly gone: AbortSignal },
): Promise<Deployment> {
  const { id, appId } = deployment
  const ended = stateOf(parts.events, id, [...ENDED, 'waiting'])
  const paused = pauseOf(parts.events, appId)
  /** What runs goes on when its app is paused. */
  const isHeld = async () => {
    await paused.promise
    return (await readDeployment(parts.db, id)).state === 'queued' || ended.promise
  }
  try {
    const now = await readDeployment(parts.db, deployment.id)
    if (!hasEnded(now) && now.state !== 'waiting') {
      const late = seconds === undefined ? [] : [passed(parts.clock, seconds)]
      await Promise.race([ended.promise, isHeld(), aborted(gone), ...late])
    }
  } finally {
    ended.close()
    paused.close()
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
  return told(
    events,
    ({ kind, fields }) => kind === 'deployment' && fields.id === id && states.includes(String(fields.state)),
  )
}

function pauseOf(events: Events, appId: string): Told {
  return told(
    events,
    ({ kind, fields }) => kind === 'app' && fields.id === appId && fields.state === 'paused',
  )
}

function told(events: Events, is: (event: ManagerEvent) => boolean): Told {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { close } = events.subscribe(undefined, event => {
    if (is(event)) {
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
