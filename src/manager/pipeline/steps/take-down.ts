import { knownTo } from '#manager/agents/unknown-commands.ts'
import { engineOf } from '#manager/pipeline/choose-engine.ts'
import { forgetCheckouts } from '#manager/pipeline/forget-checkouts.ts'
import { leaveEngines } from '#manager/pipeline/leave-engines.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellSparing } from '#manager/pipeline/tell-sparing.ts'
import { targetNamed } from '#targets/index.ts'

/** Removes everything of an app from its host; named volumes stay unless the request says otherwise. */
export const takeDown: Step = { name: 'take-down', deadlineMs: 10 * 60_000, run: takeDownApp }

async function takeDownApp(context: StepContext): Promise<StepOutcome> {
  const { app, parts, deployment, say } = context
  context.facts.engine = engineOf(app)
  if (app.stack !== null) {
    say(`the stack "${app.stack}" stays as it is on its host: only its record goes`)
    return done()
  }
  await leaveEngines(context)
  const target = targetNamed(app.target)
  const volumes = deployment.trigger.detail === 'delete-volumes' ? 'delete' : 'keep'
  const knows = knownTo(parts.agents, app.host)
  const facts = { id: app.id, name: app.name, baseDomain: parts.baseDomain }
  for (const tell of target?.remove({ app: facts, volumes, knows }) ?? []) {
    await tellSparing(context, tell)
  }
  await forgetCheckouts(context, [])
  return done()
}
