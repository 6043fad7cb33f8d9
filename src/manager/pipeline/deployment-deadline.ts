import { writeDuration } from '#lib/duration.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { deploymentLimit } from './deadlines.ts'
import { DEPLOYMENT_TIMED_OUT } from './errors.ts'
import type { PipelineParts } from './step.ts'

/**
 * After a restart of the manager a deadline may have passed while nobody looked. What was at work then may have ended
 * long ago, so there is this much time to hear of it.
 */
const ADOPTED_MS = 10_000

/** The deadline of a whole deployment. It is stored, so that it outlives the manager. */
export interface DeploymentDeadline extends Disposable {
  /** Aborted with DEPLOYMENT_TIMED_OUT. */
  readonly signal: AbortSignal
  readonly at: number
  /** Counts from the start of the deployment, without the time in which it waited for an approval. */
  limit(ms: number): Promise<void>
}

export function watchDeployment(
  deployment: Deployment,
  { db, clock, deadlines }: PipelineParts,
): DeploymentDeadline {
  const late = new AbortController()
  // As if it had started later by the time in which it waited for an approval.
  const startedAt = (deployment.startedAt ?? clock.now()) + deployment.waitedMs
  let at = deployment.deadlineAt ?? startedAt + deploymentLimit(deadlines, {})
  let timer = arm()

  function arm() {
    const limitMs = at - startedAt
    const limit = writeDuration(limitMs)
    return clock.after(timeLeft(at - clock.now(), limitMs), () =>
      late.abort(DEPLOYMENT_TIMED_OUT(limit, undefined).with({ facts: { limit } })),
    )
  }

  return {
    signal: late.signal,
    get at() {
      return at
    },
    async limit(ms) {
      if (startedAt + ms === at) {
        return
      }
      at = startedAt + ms
      timer.close()
      timer = arm()
      await db.updateTable('deployments').set({ deadline_at: at }).where('id', '=', deployment.id).execute()
    },
    [Symbol.dispose]: () => timer.close(),
  }
}

/**
 * ms until a deadline, and for one that passed while no manager ran the time to hear of the end; never more than the
 * whole limit, though the clock was set back meanwhile.
 */
export function timeLeft(leftMs: number, limitMs: number): number {
  return Math.min(limitMs, Math.max(leftMs, ADOPTED_MS))
}
