import { asFairleadError } from '#lib/errors.ts'
import type { StepContext } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'

const UNDO_MS = 10 * 60_000

/**
 * Takes back what a failed or cancelled deployment did: all commands are tried, each failure is logged.
 * Not subject to the deployment's own cancellation. Gives the outcome's name.
 */
export async function undo(context: StepContext): Promise<string> {
  const calm = { ...context, signal: AbortSignal.timeout(UNDO_MS) }
  let failures = 0
  for (const tell of context.facts.plan?.undo ?? []) {
    try {
      await tellWorker(calm, tell)
    } catch (error) {
      failures += 1
      context.say(`undo: ${tell.command} failed: ${asFairleadError(error).message}`)
    }
  }
  return failures === 0 ? 'returned-to-previous' : 'return-incomplete'
}
