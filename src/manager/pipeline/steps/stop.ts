import { engineOf } from '#manager/pipeline/choose-engine.ts'
import { leaveEngines } from '#manager/pipeline/leave-engines.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'
import { factsOf, newestRelease } from '#manager/releases/queries.ts'
import { targetNamed } from '#targets/index.ts'

/**
 * Ends what runs of an app and takes its routes away; its volumes, images and releases stay. It has longer than any of its
 * commands, which say what they waited for.
 */
export const stop: Step = { name: 'stop', deadlineMs: 16 * 60_000, run: stopApp }

async function stopApp(context: StepContext): Promise<StepOutcome> {
  const { app, parts } = context
  context.facts.engine = engineOf(app)
  await leaveEngines(context)
  const release = await newestRelease(parts.db, app.id)
  const named = { id: app.id, name: app.name, baseDomain: parts.baseDomain }
  for (const tell of release ? (targetNamed(app.target)?.stop?.(named, factsOf(release)) ?? []) : []) {
    await tellWorker(context, tell)
  }
  return done()
}
