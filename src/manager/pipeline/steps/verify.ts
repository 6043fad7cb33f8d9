import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'

/** Looks at what runs now and fails unless it is the planned release, healthy. */
export const verify: Step = { name: 'verify', deadlineMs: 10 * 60_000, run: verifyRelease }

async function verifyRelease(context: StepContext): Promise<StepOutcome> {
  for (const tell of context.facts.plan?.verify ?? []) {
    await tellWorker(context, tell)
  }
  return done()
}
