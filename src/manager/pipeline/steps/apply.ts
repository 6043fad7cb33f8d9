import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'

/** Starts the new release, one command after the other. What serves now is not touched where the target can avoid it. */
export const apply: Step = {
  name: 'apply',
  deadlineMs: 10 * 60_000,
  extraMs: healthMs,
  run: applyPlan,
}

async function applyPlan(context: StepContext): Promise<StepOutcome> {
  const tells = context.facts.plan?.apply ?? []
  for (const tell of tells) {
    await tellWorker(context, tell)
  }
  return tells.length === 0 ? { kind: 'skipped' } : done()
}

/** What the app gives itself to become healthy (`health.within`, `verify.within`). */
function healthMs({ facts }: StepContext): number {
  const times = (facts.plan?.apply ?? []).map(({ data }) => {
    const { withinMs, health } = data as { withinMs?: number; health?: { withinMs?: number } }
    return withinMs ?? health?.withinMs ?? 0
  })
  return Math.max(0, ...times)
}
