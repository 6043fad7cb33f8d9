import { asFairleadError, toWire } from '#lib/errors.ts'
import { sayIn } from './context.ts'
import { STEP_TIMED_OUT } from './errors.ts'
import type { Step, StepContext, StepOutcome } from './step.ts'

/**
 * Runs one step between two rows: one before it starts, one with its outcome. A step that already has its
 * outcome (after a restart) is not run again; one that had begun is, and finds its commands in the journal.
 */
export async function recordStep(step: Step, position: number, whole: StepContext): Promise<StepOutcome> {
  const context = { ...whole, step: step.name, say: (text: string) => sayIn(whole, step.name, text) }
  const { parts, deployment } = context
  const before = await parts.db
    .selectFrom('steps')
    .select(['state', 'attempt', 'outcome', 'deadline_at'])
    .where('deployment_id', '=', deployment.id)
    .where('name', '=', step.name)
    .executeTakeFirst()
  if (before && (before.state === 'done' || before.state === 'skipped')) {
    await step.recall?.(context)
    return JSON.parse(before.outcome ?? '{"kind":"skipped"}') as StepOutcome
  }
  context.signal.throwIfAborted()
  const started = parts.clock.now()
  await begin(step, position, context, { attempt: (before?.attempt ?? 0) + 1, started })
  try {
    const outcome = await within(step, context)
    await end(step, context, outcome.kind === 'skipped' ? 'skipped' : 'done', {
      outcome: JSON.stringify(outcome),
    })
    return outcome
  } catch (thrown) {
    if (context.signal.reason === 'shutdown') {
      throw thrown
    }
    const error = asFairleadError(thrown)
    await end(step, context, context.signal.aborted ? 'cancelled' : 'failed', {
      error: JSON.stringify(toWire(error)),
    })
    if (step.onFailure === 'ignore' && !context.signal.aborted) {
      context.say(`${step.name} failed and is left for the next deployment: ${error.message}`)
      return { kind: 'skipped' }
    }
    throw error
  }
}

/** Runs the step with its deadline: when it passes, everything the step started is told to stop. */
async function within(step: Step, context: StepContext): Promise<StepOutcome> {
  const late = new AbortController()
  const timer = context.parts.clock.after(step.deadlineMs, () =>
    late.abort(STEP_TIMED_OUT(step.name, Math.round(step.deadlineMs / 1000))),
  )
  try {
    return await step.run({ ...context, signal: AbortSignal.any([context.signal, late.signal]) })
  } catch (error) {
    throw late.signal.aborted && !context.signal.aborted ? late.signal.reason : error
  } finally {
    timer.close()
  }
}

async function begin(
  step: Step,
  position: number,
  context: StepContext,
  { attempt, started }: { attempt: number; started: number },
): Promise<void> {
  const { parts, deployment } = context
  const row = {
    deployment_id: deployment.id,
    name: step.name,
    position,
    state: 'running',
    attempt,
    started_at: started,
    deadline_at: started + step.deadlineMs,
    finished_at: null,
    outcome: null,
    error: null,
  } as const
  await parts.db
    .insertInto('steps')
    .values(row)
    .onConflict(conflict => conflict.columns(['deployment_id', 'name']).doUpdateSet(row))
    .execute()
  parts.events.publish('step', {
    deployment: deployment.id,
    app: deployment.app,
    step: step.name,
    state: 'running',
  })
}

async function end(
  step: Step,
  context: StepContext,
  state: 'done' | 'skipped' | 'failed' | 'cancelled',
  result: { outcome?: string; error?: string },
): Promise<void> {
  const { parts, deployment } = context
  const finished = parts.clock.now()
  await parts.db
    .updateTable('steps')
    .set({ state, finished_at: finished, outcome: result.outcome ?? null, error: result.error ?? null })
    .where('deployment_id', '=', deployment.id)
    .where('name', '=', step.name)
    .execute()
  parts.events.publish('step', { deployment: deployment.id, app: deployment.app, step: step.name, state })
}
