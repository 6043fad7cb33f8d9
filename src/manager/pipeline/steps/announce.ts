import { fill } from '#manager/pipeline/fill.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'

/** Says the result where people look. So far that is the log and the event stream; it never blocks a deployment. */
export const announce: Step = {
  name: 'announce',
  deadlineMs: 60_000,
  onFailure: 'ignore',
  run: announceResult,
}

async function announceResult(context: StepContext): Promise<StepOutcome> {
  const { source, domains = [] } = context.facts
  const commit = source?.commit.slice(0, 12)
  const made = artifactOf(context)
  if (made) {
    const places = Object.keys(made.references)
    context.say(`${made.image} is made of ${commit}${places.length > 0 ? `: ${places.join(', ')}` : ''}`)
    return done({ artifact: { ...made } })
  }
  context.say(`${context.app.name} serves ${commit}${domains.length > 0 ? ` at ${domains.join(', ')}` : ''}`)
  return done({ domains })
}

function artifactOf({ facts: { target, plan }, results }: StepContext) {
  return plan && target?.artifact?.({ content: fill(plan.release, results) })
}
