import { forgetCheckouts } from '#manager/pipeline/forget-checkouts.ts'
import { leaveEngines } from '#manager/pipeline/leave-engines.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellSparing } from '#manager/pipeline/tell-sparing.ts'

/** Removes what the new release replaced. The release already serves: a failure here is for the next time. */
export const prune: Step = { name: 'prune', deadlineMs: 30 * 60_000, onFailure: 'ignore', run: pruneOld }

async function pruneOld(context: StepContext): Promise<StepOutcome> {
  await leaveEngines(context)
  const tells = context.facts.plan?.prune ?? []
  for (const tell of tells) {
    await tellSparing(context, tell)
  }
  const { source } = context.facts
  if (source) {
    await forgetCheckouts(context, [
      source.commit,
      ...(source.checkout === undefined ? [] : [source.checkout]),
    ])
  }
  return done()
}
