import type { Step, StepContext, StepOutcome } from '#manager/pipeline/step.ts'
import { tellAll } from '#manager/pipeline/tell-worker.ts'

/** Ends a deployment of which the message of the commit wanted the images alone. */
export const stopAfterBuild: Step = {
  name: 'built',
  deadlineMs: 60_000,
  isWanted: ({ facts }) => facts.wish?.act === 'build',
  run: endBuilt,
}

async function endBuilt(context: StepContext): Promise<StepOutcome> {
  const { facts, results, say } = context
  await tellAll(context, facts.plan?.named ?? [])
  say('the message of the commit asks for the images alone: nothing else is done')
  const images = (facts.plan?.build ?? []).map(({ key }) => [key, results.get(key) ?? null] as const)
  return { kind: 'finished', outcome: 'built', evidence: { images: Object.fromEntries(images) } }
}
