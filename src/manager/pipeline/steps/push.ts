import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellAll } from '#manager/pipeline/tell-worker.ts'

/** Pushes what the registry does not have yet; the digests it answers are what runs from here on. */
export const push: Step = { name: 'push', deadlineMs: 10 * 60_000, run: pushImages }

async function pushImages(context: StepContext): Promise<StepOutcome> {
  const tells = context.facts.plan?.push ?? []
  await tellAll(context, tells)
  return tells.length === 0 ? { kind: 'skipped' } : done()
}
