import { FairleadError, toWire, type WireError } from '#lib/errors.ts'
import { failpoint } from '#lib/failpoint.ts'
import { DEPLOYMENT_CANCELLED } from '#manager/deployments/errors.ts'
import { SOON } from '#manager/store/soon.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'
import { sayIn } from './context.ts'
import { stepLimit } from './deadlines.ts'
import type { Step, StepContext, StepOutcome } from './step.ts'
import { reasonOf, withinDeadline } from './within-deadline.ts'

/**
 * Runs one step between two rows: one before it starts, one with its outcome. A step that already has its
 * outcome (after a restart) is not run again; one that had begun is, until the deadline it had, and finds its commands
 * in the journal.
 */
export async function recordStep(step: Step, position: number, whole: StepContext): Promise<StepOutcome> {
  const { parts, deployment } = whole
  const before = await parts.db
    .selectFrom('steps')
    .select(['state', 'attempt', 'outcome', 'error', 'started_at', 'deadline_at'])
    .where('deployment_id', '=', deployment.id)
    .where('name', '=', step.name)
    .executeTakeFirst()
  const started = before?.started_at ?? parts.clock.now()
  const limitMs = before ? before.deadline_at - started : stepLimit(step, whole)
  const context = {
    ...whole,
    step: step.name,
    deadlineAt: started + limitMs,
    say: (text: string) => sayIn(whole, step.name, text),
  }
  if (before && (before.state === 'done' || before.state === 'skipped')) {
    await step.recall?.(context)
    return JSON.parse(before.outcome ?? '{"kind":"skipped"}') as StepOutcome
  }
  if (before?.error) {
    return failedBefore(step, JSON.parse(before.error) as WireError)
  }
  if (step.onFailure !== 'ignore') {
    context.signal.throwIfAborted()
  }
  failpoint('manager', 'step', step.name, 'before-row')
  await begin(step, position, context, { attempt: (before?.attempt ?? 0) + 1, started })
  failpoint('manager', 'step', step.name, 'after-row')
  try {
    const outcome = await withinDeadline(step, context, limitMs)
    failpoint('manager', 'step', step.name, 'after-effect')
    await end(step, context, outcome.kind === 'skipped' ? 'skipped' : 'done', {
      outcome: JSON.stringify(outcome),
    })
    return outcome
  } catch (thrown) {
    if (context.signal.reason === 'shutdown' || isStoreTrouble(thrown)) {
      throw thrown
    }
    const error = reasonOf(thrown, step, context)
    await end(step, context, DEPLOYMENT_CANCELLED.matches(error) ? 'cancelled' : 'failed', {
      error: JSON.stringify(toWire(error)),
    })
    if (step.onFailure === 'ignore') {
      context.say(`${step.name} is left to the next deployment: ${error.message}`)
      return { kind: 'skipped' }
    }
    throw error
  }
}

/** What it did is perhaps being taken back already: it does not get a second chance in this deployment. */
function failedBefore(step: Step, error: WireError): StepOutcome {
  if (step.onFailure === 'ignore') {
    return { kind: 'skipped' }
  }
  throw new FairleadError(error)
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
    deadline_at: context.deadlineAt,
    finished_at: null,
    outcome: null,
    error: null,
  } as const
  await parts.db
    .insertInto('steps')
    .values(row)
    .onConflict(conflict => conflict.columns(['deployment_id', 'name']).doUpdateSet(row))
    .modifyEnd(SOON)
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
    .modifyEnd(SOON)
    .execute()
  parts.events.publish('step', { deployment: deployment.id, app: deployment.app, step: step.name, state })
}
