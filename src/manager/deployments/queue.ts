import { background } from '#lib/background.ts'
import type { Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import { deploymentLimit, overriddenDeadlines } from '#manager/pipeline/deadlines.ts'
import { runPipeline } from '#manager/pipeline/pipeline.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { SOON } from '#manager/store/soon.ts'
import { isAlone } from './alone.ts'
import { goOnApproved, letWait } from './approval.ts'
import { awaitsImages } from './awaits-images.ts'
import { holdsBack } from './breaker.ts'
import type { Deployment } from './deployment.ts'
import { DEPLOYMENT_CANCELLED } from './errors.ts'
import { finishDeployment } from './finish.ts'
import { previousGoal } from './previous-goal.ts'
import { readDeployment, readRunning, readStartable } from './queries.ts'
import { quietLeft } from './quiet.ts'

export interface Queue {
  /** Looks for work now: after a request was committed. */
  wake(): void
  /** Tells a running deployment that its cancellation was asked for. */
  abort(id: string): void
  /** Begins nothing on a host until that is released; what is at work there goes on. */
  hold(host: string): Promise<HeldHost>
  /** Resolves when nothing runs and nothing can start: what waits for the end of a burst cannot yet. */
  idle(): Promise<void>
  /** Stops starting; running ones are left where they are for the next start to adopt. */
  close(): Promise<void>
}

export interface HeldHost {
  /** Deployments that are at work there all the same. */
  readonly atWork: number
  release(): void
}

export interface QueueOptions {
  readonly parts: PipelineParts
  readonly logger: Logger
  /** Deployments at work at once on one host. */
  readonly perHost: number
}

interface AtWork {
  readonly host: string
  readonly isAlone: boolean
  readonly stop: AbortController
  readonly ended: Promise<void>
}

/** When the store could not be used. */
const AGAIN_MS = 5000

/**
 * Starts queued deployments: one per app, `perHost` per host, oldest first, that of a burst when it is over. At its own
 * start it adopts every deployment that an earlier process left running: their journalled steps are not repeated.
 */
export function createQueue({ parts, logger, perHost }: QueueOptions): Queue {
  const { db } = parts
  const running = new Map<string, AtWork>()
  const held = new Map<string, number>()
  let closed = false
  let looking: Promise<void> | undefined
  let again = false
  /** While a burst of requests is awaited. */
  let quiet: Timer | undefined

  function wake(): void {
    if (closed) {
      return
    }
    if (looking) {
      again = true
      return
    }
    looking = look().finally(() => {
      looking = undefined
      if (again) {
        again = false
        wake()
      }
    })
    background(looking, error => {
      logger.error('queue.failed', { code: error.code, message: error.message })
      parts.clock.after(AGAIN_MS, wake)
    })
  }

  async function look(): Promise<void> {
    for (const { id, host, trigger } of await readRunning(db)) {
      if (!running.has(id)) {
        start(id, host, isAlone(trigger))
      }
    }
    const started = new Set<string>()
    let soonest = Number.POSITIVE_INFINITY
    for (const next of await readStartable(db)) {
      const { id, state, appId, startsAt, host, overrides, trigger } = next
      const left = quietLeft(startsAt, parts.clock.now())
      if (left > 0) {
        soonest = Math.min(soonest, left)
        continue
      }
      if (atWorkOn(host) >= perHost || closed || started.has(appId) || running.has(id)) {
        continue
      }
      if (held.has(host) || isKeptOut(isAlone(trigger))) {
        continue
      }
      if (state === 'queued' && ((await holdsBack(parts, next)) || (await awaitsImages(db, next)))) {
        continue
      }
      started.add(appId)
      if (state === 'waiting') {
        await goOnApproved(parts, id)
      } else {
        const now = parts.clock.now()
        const limit = deploymentLimit(parts.deadlines, overriddenDeadlines(overrides))
        const goal = next.wantsPrevious === 1 ? await previousGoal(db, appId) : {}
        await db
          .updateTable('deployments')
          .set({ state: 'running', started_at: now, deadline_at: now + limit, ...goal })
          .where('id', '=', id)
          .where('state', '=', 'queued')
          .modifyEnd(SOON)
          .execute()
      }
      start(id, host, isAlone(trigger))
    }
    quiet?.close()
    quiet = Number.isFinite(soonest) ? parts.clock.after(soonest, wake) : undefined
  }

  function atWorkOn(host: string): number {
    return [...running.values()].filter(other => other.host === host).length
  }

  /** One that needs everything for itself, or one beside such a one. */
  function isKeptOut(alone: boolean): boolean {
    return alone ? running.size > 0 : [...running.values()].some(other => other.isAlone)
  }

  function start(id: string, host: string, alone: boolean): void {
    const stop = new AbortController()
    const ended = work(id, stop.signal)
      .catch(async error => {
        logger.error('deployment.broken', { deployment: id, message: String(error) })
        // It stays running and is adopted again, not in a hot loop.
        await parts.clock.sleep(AGAIN_MS, stop.signal).catch(() => undefined)
      })
      .finally(() => {
        running.delete(id)
        wake()
      })
    running.set(id, { host, isAlone: alone, stop, ended })
  }

  async function work(id: string, signal: AbortSignal): Promise<void> {
    const deployment = await readDeployment(db, id)
    if (deployment.state !== 'running') {
      return
    }
    parts.events.publish('deployment', { id, app: deployment.app, state: 'running' })
    if (deployment.cancelRequested) {
      running.get(id)?.stop.abort(DEPLOYMENT_CANCELLED())
    }
    const end = await runPipeline(deployment, parts, signal)
    if (end.state === 'left-running') {
      return
    }
    // Who sees the end finds the whole log.
    await parts.logs.settled(id)
    if (end.state === 'waiting') {
      await letWait(parts, deployment)
      await parts.logs.release(id)
      return
    }
    await finishDeployment(parts, deployment, end)
    await parts.logs.release(id)
    logEnd(logger, deployment, end.state)
  }

  return {
    wake,
    abort: id => running.get(id)?.stop.abort(DEPLOYMENT_CANCELLED()),
    async hold(host) {
      held.set(host, (held.get(host) ?? 0) + 1)
      // One that is just being started counts as at work.
      await looking
      return {
        atWork: atWorkOn(host),
        release() {
          const left = (held.get(host) ?? 1) - 1
          if (left > 0) {
            held.set(host, left)
          } else {
            held.delete(host)
          }
          wake()
        },
      }
    },
    async idle() {
      while (looking || running.size > 0) {
        await Promise.all([looking, ...[...running.values()].map(entry => entry.ended)])
      }
    },
    async close() {
      closed = true
      await looking
      quiet?.close()
      for (const entry of running.values()) {
        entry.stop.abort('shutdown')
      }
      await Promise.all([...running.values()].map(entry => entry.ended))
    },
  }
}

function logEnd(logger: Logger, deployment: Deployment, state: string): void {
  logger.info('deployment.ended', {
    app: deployment.app,
    deployment: deployment.id,
    ok: state === 'succeeded',
    state,
  })
}
