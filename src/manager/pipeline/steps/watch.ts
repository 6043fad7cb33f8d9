import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'

/** Watches the release for a while once it serves. What it replaced still stands by, so going back costs nobody a request. */
export const watch: Step = {
  name: 'watch',
  deadlineMs: 15 * 60_000,
  isWanted: ({ facts }) => (facts.plan?.watch.length ?? 0) > 0,
  run: watchRelease,
}

async function watchRelease(context: StepContext): Promise<StepOutcome> {
  for (const tell of context.facts.plan?.watch ?? []) {
    await tellWorker(context, tell)
  }
  return done()
}
