import { forgetCheckouts } from '#manager/pipeline/forget-checkouts.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'
import { targetNamed } from '#targets/index.ts'

/** Removes everything of an app from its host; named volumes stay unless the request says otherwise. */
export const takeDown: Step = { name: 'take-down', deadlineMs: 10 * 60_000, run: takeDownApp }

async function takeDownApp(context: StepContext): Promise<StepOutcome> {
  const { app, parts, deployment } = context
  const target = targetNamed(app.target)
  const volumes = deployment.trigger.detail === 'delete-volumes' ? 'delete' : 'keep'
  const facts = { name: app.name, baseDomain: parts.baseDomain }
  for (const tell of target?.remove({ app: facts, volumes }) ?? []) {
    await tellWorker(context, tell)
  }
  await forgetCheckouts(context, [])
  return done()
}
