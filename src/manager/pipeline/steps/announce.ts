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
  context.say(
    `${context.app.name} serves ${source?.commit.slice(0, 12)}${domains.length > 0 ? ` at ${domains.join(', ')}` : ''}`,
  )
  return done({ domains })
}
