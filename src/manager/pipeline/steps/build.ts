import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellAll } from '#manager/pipeline/tell-worker.ts'

/** Builds the images that neither the worker nor the registry has, all at once. */
export const build: Step = { name: 'build', deadlineMs: 30 * 60_000, run: buildImages }

async function buildImages(context: StepContext): Promise<StepOutcome> {
  const tells = context.facts.plan?.build ?? []
  await tellAll(context, tells)
  return tells.length === 0 ? { kind: 'skipped' } : done()
}
