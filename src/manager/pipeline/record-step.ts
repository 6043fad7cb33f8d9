import { FairleadError, toWire, type WireError } from '#lib/errors.ts'
import { failpoint } from '#lib/failpoint.ts'
import { DEPLOYMENT_CANCELLED } from '#manager/deployments/errors.ts'
import { compiledOnce } from '#manager/store/compiled-once.ts'
import { SOON } from '#manager/store/soon.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'
import { voidAnswers } from './command-rows.ts'
import { sayIn } from './context.ts'
import { stepLimit } from './deadlines.ts'
import { endLeft } from './end-left.ts'
import type { Step, StepContext, StepOutcome } from './step.ts'
import { reasonOf, withinDeadline } from './within-deadline.ts'

/**
 * Runs one step between two rows: one before it starts, one with its outcome. A step that already has its
 * outcome (after a restart) is not run again; one that had begun is, until the deadline it had, and finds its commands
 * in the journal.
 */
export async function recordStep(step: Step, position: number, whole: StepContext): Promise<StepOutcome> {
  const { parts, deployment } = whole
  const [before] = await stepNamed(parts.db, { deployment: deployment.id, name: step.name })
  const started = before?.started_at ?? parts.clock.now()
  const limitMs = before ? before.deadline_at - started : stepLimit(step, whole)
  const context = {
    ...whole,
    step: step.name,
    deadlineAt: started + limitMs,
    say: (text: string) => sayIn(whole, step.name, text),
  }
  if (before && (before.state === 'done' || before.state === 'skipped')) {
    const outcome = JSON.parse(before.outcome ?? '{"kind":"skipped"}') as StepOutcome
    // What was found out up to the plan was kept with it, and nothing follows where it waits.
    if (!whole.facts.plan && outcome.kind !== 'waiting') {
      await recall(step, context)
    }
    return outcome
  }
  if (before?.error) {
    return failedBefore(step, JSON.parse(before.error) as WireError)
  }
  const { signal } = context
  const isOver = signal.aborted && step.onFailure !== 'ignore'
  if (isOver && (!before || signal.reason === 'shutdown')) {
    throw signal.reason
  }
  failpoint('manager', 'step', step.name, 'before-row')
  await begin(step, position, context, { attempt: (before?.attempt ?? 0) + 1, started })
  failpoint('manager', 'step', step.name, 'after-row')
  if (before && step.asksAnew && !isOver) {
    await voidAnswers(parts.db, { deployment: deployment.id, step: step.name, now: parts.clock.now() })
  }
  try {
    const outcome = isOver ? await endLeft(context) : await withinDeadline(step, context, limitMs)
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
      context.say(`hint: ${error.hint}`)
      return { kind: 'skipped' }
    }
    throw error
  }
}

/** What a cancelled deployment cannot be told again is no failure of it. */
async function recall(step: Step, context: StepContext): Promise<void> {
  try {
    await step.recall?.(context)
  } catch (error) {
    throw DEPLOYMENT_CANCELLED.matches(context.signal.reason) && !isStoreTrouble(error)
      ? context.signal.reason
      : error
  }
}

const stepNamed = compiledOnce((db, { deployment, name }: { deployment: string; name: string }) =>
  db
    .selectFrom('steps')
    .select(['state', 'attempt', 'outcome', 'error', 'started_at', 'deadline_at'])
    .where('deployment_id', '=', deployment)
    .where('name', '=', name),
)

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
  await beginStep(parts.db, {
    deployment: deployment.id,
    name: step.name,
    position,
    attempt,
    started,
    deadline: context.deadlineAt,
  })
  parts.events.publish('step', {
    deployment: deployment.id,
    app: deployment.app,
    step: step.name,
    state: 'running',
  })
}

interface BegunStep extends Record<string, unknown> {
  readonly deployment: string
  readonly name: string
  readonly position: number
  readonly attempt: number
  readonly started: number
  readonly deadline: number
}

const beginStep = compiledOnce((db, step: BegunStep) => {
  const row = {
    deployment_id: step.deployment,
    name: step.name,
    position: step.position,
    state: 'running',
    attempt: step.attempt,
    started_at: step.started,
    deadline_at: step.deadline,
    finished_at: null,
    outcome: null,
    error: null,
  } as const
  return db
    .insertInto('steps')
    .values(row)
    .onConflict(conflict => conflict.columns(['deployment_id', 'name']).doUpdateSet(row))
    .modifyEnd(SOON)
})

async function end(
  step: Step,
  context: StepContext,
  state: 'done' | 'skipped' | 'failed' | 'cancelled',
  result: { outcome?: string; error?: string },
): Promise<void> {
  const { parts, deployment } = context
  const finished = parts.clock.now()
  await endStep(parts.db, {
    deployment: deployment.id,
    name: step.name,
    state,
    finished,
    outcome: result.outcome ?? null,
    error: result.error ?? null,
  })
  parts.events.publish('step', { deployment: deployment.id, app: deployment.app, step: step.name, state })
}

interface EndedRow extends Record<string, unknown> {
  readonly deployment: string
  readonly name: string
  readonly state: 'done' | 'skipped' | 'failed' | 'cancelled'
  readonly finished: number
  readonly outcome: string | null
  readonly error: string | null
}

const endStep = compiledOnce((db, step: EndedRow) =>
  db
    .updateTable('steps')
    .set({ state: step.state, finished_at: step.finished, outcome: step.outcome, error: step.error })
    .where('deployment_id', '=', step.deployment)
    .where('name', '=', step.name)
    .modifyEnd(SOON),
)
