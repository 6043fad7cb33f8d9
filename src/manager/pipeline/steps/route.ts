import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'

/** Points the app's addresses at the new release and asks it through the proxy, as a visitor would. */
export const route: Step = { name: 'route', deadlineMs: 5 * 60_000, run: routeHosts }

async function routeHosts(context: StepContext): Promise<StepOutcome> {
  const tells = context.facts.plan?.route ?? []
  for (const tell of tells) {
    await tellWorker(context, tell)
  }
  return tells.length === 0 ? { kind: 'skipped' } : done()
}
