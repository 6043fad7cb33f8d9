import { asFairleadError } from '#lib/errors.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { DEPLOYMENT_CANCELLED } from '#manager/deployments/errors.ts'
import { openContext } from './context.ts'
import { fill } from './fill.ts'
import { recordStep } from './record-step.ts'
import type { EndedPipeline, PipelineEnd, PipelineParts, Step, StepContext } from './step.ts'
import { announce } from './steps/announce.ts'
import { apply } from './steps/apply.ts'
import { build } from './steps/build.ts'
import { checkout } from './steps/checkout.ts'
import { plan } from './steps/plan.ts'
import { prune } from './steps/prune.ts'
import { push } from './steps/push.ts'
import { read } from './steps/read.ts'
import { route } from './steps/route.ts'
import { takeDown } from './steps/take-down.ts'
import { undo } from './steps/undo.ts'
import { verify } from './steps/verify.ts'

/** The steps of each kind of deployment, in order. */
export const STEPS = {
  deploy: [checkout, read, plan, build, push, apply, verify, route, announce, prune],
  remove: [takeDown],
} satisfies Record<string, readonly Step[]>

/** Once one of these has begun, a failure or a cancellation takes back what was done. */
const CHANGES_WHAT_RUNS: readonly Step[] = [apply, verify, route]

/** Runs the steps in order and stops at the first that does not end well. Writing the end down is finish.ts's work. */
export async function runPipeline(
  deployment: Deployment,
  parts: PipelineParts,
  signal: AbortSignal,
): Promise<PipelineEnd> {
  const context = await openContext(deployment, parts, signal)
  const steps: readonly Step[] = deployment.kind === 'remove' ? STEPS.remove : STEPS.deploy
  for (const [position, step] of steps.entries()) {
    try {
      const outcome = await recordStep(step, position, context)
      if (outcome.kind === 'finished') {
        return { state: 'succeeded', outcome: outcome.outcome, evidence: outcome.evidence }
      }
    } catch (error) {
      if (signal.reason === 'shutdown') {
        return { state: 'left-running' }
      }
      return await endBadly(step, error, context)
    }
  }
  return succeeded(context)
}

function succeeded(context: StepContext): EndedPipeline {
  const { source, plan: planned, configHash } = context.facts
  if (!source || !planned || configHash === undefined) {
    return { state: 'succeeded', outcome: 'removed' }
  }
  return {
    state: 'succeeded',
    outcome: 'deployed',
    evidence: evidenceOf(context),
    domains: context.facts.domains ?? [],
    release: { commit: source.commit, configHash, content: fill(planned.release, context.results) },
  }
}

/** What was seen, not what was meant: the results of verify and route. */
function evidenceOf(context: StepContext): Record<string, unknown> {
  const tells = [...(context.facts.plan?.push ?? []), ...(context.facts.plan?.verify ?? []), ...(context.facts.plan?.route ?? [])]
  return Object.fromEntries(tells.map(tell => [tell.key, context.results.get(tell.key) ?? null]))
}

async function endBadly(step: Step, thrown: unknown, context: StepContext): Promise<EndedPipeline> {
  const cancelled = DEPLOYMENT_CANCELLED.matches(context.signal.reason)
  const error = cancelled ? DEPLOYMENT_CANCELLED() : asFairleadError(thrown)
  context.say(`${step.name} ${cancelled ? 'was cancelled' : `failed: ${error.message}`}`)
  if (!cancelled) {
    context.say(`hint: ${error.hint}`)
  }
  const undone = CHANGES_WHAT_RUNS.includes(step) ? await undo({ ...context, step: 'undo' }) : undefined
  return {
    state: cancelled ? 'cancelled' : 'failed',
    outcome: undone ?? (cancelled ? 'cancelled' : 'failed'),
    error,
    failedStep: step.name,
  }
}
