import { writeDuration } from '#lib/duration.ts'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { AGENT_OFFLINE } from '#manager/agents/errors.ts'
import { timeLeft } from './deployment-deadline.ts'
import { DEPLOYMENT_TIMED_OUT, STEP_TIMED_OUT } from './errors.ts'
import type { Step, StepContext, StepOutcome } from './step.ts'

/** What follows when the new release serves already has this long when the deployment is cancelled or its time is up. */
const HURRY_MS = 5_000

/** Runs the step until its deadline: when it passes, everything the step started is told to stop. */
export async function withinDeadline(
  step: Step,
  context: StepContext,
  limitMs: number,
): Promise<StepOutcome> {
  const { clock } = context.parts
  using outer = signalFor(step, context)
  const late = new AbortController()
  const timer = clock.after(timeLeft(context.deadlineAt - clock.now(), limitMs), () =>
    late.abort(lateness(step, context, limitMs)),
  )
  try {
    return await step.run({ ...context, signal: AbortSignal.any([outer.signal, late.signal]) })
  } catch (error) {
    throw late.signal.aborted && !outer.signal.aborted ? late.signal.reason : error
  } finally {
    timer.close()
  }
}

/** Why a step ended badly: one that was told to stop says who told it, not how its commands took that. */
export function reasonOf(thrown: unknown, step: Step, { signal }: StepContext): FairleadError {
  const reason = asFairleadError(signal.aborted ? signal.reason : thrown)
  return DEPLOYMENT_TIMED_OUT.matches(reason)
    ? DEPLOYMENT_TIMED_OUT(String(reason.facts?.limit), step.name).with({ facts: reason.facts })
    : reason
}

/** A worker that is away is a better reason than the time it took. */
function lateness(step: Step, { parts, app }: StepContext, limitMs: number): FairleadError {
  const limit = writeDuration(limitMs)
  const link = parts.agents.state(app.host)
  return link && link.status !== 'connected'
    ? AGENT_OFFLINE(app.host, link.lastError?.message ?? '').with({ facts: { step: step.name, limit } })
    : STEP_TIMED_OUT(step.name, limit).with({ facts: { step: step.name, limit } })
}

interface OuterSignal extends Disposable {
  readonly signal: AbortSignal
}

/** Cleaning up is not left half done by a cancellation that came too late to change what runs. */
function signalFor(step: Step, { signal, parts }: StepContext): OuterSignal {
  if (step.onFailure !== 'ignore') {
    return { signal, [Symbol.dispose]() {} }
  }
  const stop = new AbortController()
  let timer: { close(): void } | undefined
  const end = () => stop.abort(signal.reason)
  const onAbort = () => {
    if (signal.reason === 'shutdown') {
      end()
    } else {
      timer = parts.clock.after(HURRY_MS, end)
    }
  }
  if (signal.aborted) {
    onAbort()
  } else {
    signal.addEventListener('abort', onAbort, { once: true })
  }
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      timer?.close()
      signal.removeEventListener('abort', onAbort)
    },
  }
}
