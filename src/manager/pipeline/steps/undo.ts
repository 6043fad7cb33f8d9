import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { AGENT_OFFLINE } from '#manager/agents/errors.ts'
import { forgetCheckouts } from '#manager/pipeline/forget-checkouts.ts'
import { undoMove } from '#manager/pipeline/leave-engines.ts'
import type { StepContext } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'

const UNDO_MS = 10 * 60_000
/** For a worker that is being restarted. One that was waited for in vain before is not waited for again. */
const WORKER_MS = 30_000

/** Removes the images that a failed or cancelled deployment built or fetched; those that were here before it stay. */
export async function dropImages(context: StepContext, failure: FairleadError): Promise<void> {
  const made = (context.facts.plan?.build ?? []).filter(tell =>
    ['build', 'registry'].includes(String(context.results.get(tell.key)?.source)),
  )
  if (made.length === 0) {
    return
  }
  const only = made.map(tell => String(tell.data.reference))
  const data = { app: context.app.name, keep: [], keepLast: 0, only }
  try {
    await tellWorker(calm(context, failure), { key: 'undo-images', command: 'image.prune', data })
  } catch (error) {
    context.say(`its images are left to the next deployment: ${asFairleadError(error).message}`)
  }
}

/** Removes the checkout of a deployment that failed or was cancelled; what fails here is for the next one. */
export async function dropCheckout(context: StepContext, failure: FairleadError): Promise<void> {
  try {
    await forgetCheckouts(calm(context, failure), [])
  } catch (error) {
    context.say(`its checkout is left to the next deployment: ${asFairleadError(error).message}`)
  }
}

/**
 * Takes back what a failed or cancelled deployment did: all commands are tried, each failure is logged.
 * Gives the outcome's name.
 */
export async function undo(context: StepContext, failure: FairleadError): Promise<string> {
  const undoing = calm(context, failure)
  let failures = 0
  const { movesFrom, plan } = context.facts
  for (const tell of movesFrom === undefined ? (plan?.undo ?? []) : undoMove(context, movesFrom)) {
    try {
      await tellWorker(undoing, tell)
    } catch (error) {
      if (isStoreTrouble(error)) {
        throw error
      }
      failures += 1
      context.say(`undo: ${tell.command} failed: ${asFairleadError(error).message}`)
      if (AGENT_OFFLINE.matches(error)) {
        break
      }
    }
  }
  return failures === 0 ? 'returned-to-previous' : 'return-incomplete'
}

/** Not subject to the deployment's own cancellation or deadline. */
function calm(context: StepContext, failure: FairleadError): StepContext {
  return {
    ...context,
    step: 'undo',
    signal: AbortSignal.timeout(UNDO_MS),
    deadlineAt: context.parts.clock.now() + UNDO_MS,
    workerLimitMs: AGENT_OFFLINE.matches(failure) ? 0 : WORKER_MS,
  }
}
