import { healthMs } from '#manager/pipeline/health-ms.ts'
import { makeRoom } from '#manager/pipeline/make-room.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'

/** Starts the new release, one command after the other. What serves now is not touched where the target can avoid it. */
export const apply: Step = {
  name: 'apply',
  deadlineMs: 10 * 60_000,
  extraMs: ({ facts }) => healthMs(facts.plan?.apply),
  run: applyPlan,
}

async function applyPlan(context: StepContext): Promise<StepOutcome> {
  const tells = context.facts.plan?.apply ?? []
  await makeRoom(context)
  for (const tell of tells) {
    await tellWorker(context, tell)
  }
  return tells.length === 0 ? { kind: 'skipped' } : done()
}
