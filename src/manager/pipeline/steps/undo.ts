import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { AGENT_OFFLINE } from '#manager/agents/errors.ts'
import { DEPLOYMENT_CANCELLED } from '#manager/deployments/errors.ts'
import { timeLeft } from '#manager/pipeline/deployment-deadline.ts'
import { forgetCheckouts } from '#manager/pipeline/forget-checkouts.ts'
import { healthMs } from '#manager/pipeline/health-ms.ts'
import { undoMove } from '#manager/pipeline/leave-engines.ts'
import type { StepContext } from '#manager/pipeline/step.ts'
import { tellSparing } from '#manager/pipeline/tell-sparing.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'
import type { Tell } from '#targets/target.ts'

/** For everything on the way back together, beside what the app needs itself to become healthy and to drain. */
const UNDO_MS = 10 * 60_000
/** For a worker that is being restarted. One that was waited for in vain before is not waited for again. */
const WORKER_MS = 30_000

/**
 * What follows a failed or cancelled deployment: what it did is taken back, if it had begun to change what runs, and what
 * it brought to the host is removed. Gives the outcome's name if there was something to take back.
 */
export async function goBack(
  whole: StepContext,
  { failure, hasBegun }: { readonly failure: FairleadError; readonly hasBegun: boolean },
): Promise<string | undefined> {
  const context = await calm(whole, failure)
  const undone = hasBegun ? await undo(context) : undefined
  await dropImages(context)
  if (context.facts.source || (await mayHaveCheckout(context, failure))) {
    await dropCheckout(context)
  }
  return undone
}

/** One that was cancelled while its checkout was made: the host may have it though nobody could hear of it. */
async function mayHaveCheckout({ parts, deployment }: StepContext, failure: FairleadError): Promise<boolean> {
  if (!DEPLOYMENT_CANCELLED.matches(failure)) {
    return false
  }
  const told = await parts.db
    .selectFrom('commands')
    .select('id')
    .where('deployment_id', '=', deployment.id)
    .where('command', '=', 'repository.checkout')
    .executeTakeFirst()
  return told !== undefined
}

/** Removes the images that a failed or cancelled deployment built or fetched; those that were here before it stay. */
async function dropImages(context: StepContext): Promise<void> {
  const made = (context.facts.plan?.build ?? []).filter(tell =>
    ['build', 'registry'].includes(String(context.results.get(tell.key)?.source)),
  )
  if (made.length === 0) {
    return
  }
  const only = made.map(tell => String(tell.data.reference))
  const data = { app: context.app.name, keep: [], keepLast: 0, only }
  try {
    await tellSparing(context, { key: 'undo-images', command: 'image.prune', data })
  } catch (error) {
    context.say(`its images are left to the next deployment: ${asFairleadError(error).message}`)
  }
}

/** Removes the checkout of a deployment that failed or was cancelled; what fails here is for the next one. */
async function dropCheckout(context: StepContext): Promise<void> {
  try {
    await forgetCheckouts(context, [])
  } catch (error) {
    context.say(`its checkout is left to the next deployment: ${asFairleadError(error).message}`)
  }
}

/**
 * Takes back what a failed or cancelled deployment did: all commands are tried, each failure is logged.
 * Gives the outcome's name.
 */
async function undo(context: StepContext): Promise<string> {
  let failures = 0
  for (const tell of undoTells(context)) {
    try {
      await tellSparing(context, tell)
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

function undoTells(context: StepContext): readonly Tell[] {
  const { movesFrom, plan } = context.facts
  return movesFrom === undefined ? (plan?.undo ?? []) : undoMove(context, movesFrom)
}

/** Not subject to the deployment's own cancellation or deadline, but to one that outlives the manager. */
async function calm(context: StepContext, failure: FairleadError): Promise<StepContext> {
  const { parts, deployment } = context
  const { began } = await parts.db
    .selectFrom('commands')
    .select(({ fn }) => fn.min('created_at').as('began'))
    .where('deployment_id', '=', deployment.id)
    .where('step', '=', 'undo')
    .executeTakeFirstOrThrow()
  const now = parts.clock.now()
  const limitMs = UNDO_MS + neededMs(undoTells(context))
  const leftMs = timeLeft((began ?? now) + limitMs - now, limitMs)
  return {
    ...context,
    step: 'undo',
    signal: AbortSignal.timeout(leftMs),
    deadlineAt: now + leftMs,
    workerLimitMs: AGENT_OFFLINE.matches(failure) ? 0 : Math.min(context.workerLimitMs, WORKER_MS),
  }
}

function neededMs(tells: readonly Tell[]): number {
  const drains = tells.map(({ data }) => (data as { drainMs?: number }).drainMs ?? 0)
  return healthMs(tells) + Math.max(0, ...drains)
}
