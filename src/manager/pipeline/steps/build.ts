import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellAll } from '#manager/pipeline/tell-worker.ts'
import type { Tell } from '#targets/target.ts'

/** Builds the images that neither the worker nor the registry has: at once, but for those that lie on another one. */
export const build: Step = { name: 'build', deadlineMs: 30 * 60_000, run: buildImages }

async function buildImages(context: StepContext): Promise<StepOutcome> {
  const tells = context.facts.plan?.build ?? []
  const later = tells.filter(tell => needsAny(tell, tells))
  await tellAll(
    context,
    tells.filter(tell => !later.includes(tell)),
  )
  for (const tell of later) {
    await tellAll(context, [tell])
  }
  return tells.length === 0 ? { kind: 'skipped' } : done()
}

function needsAny({ data }: Tell, others: readonly Tell[]): boolean {
  const text = JSON.stringify(data)
  return others.some(({ key }) => text.includes(`"$result":${JSON.stringify(key)}`))
}
