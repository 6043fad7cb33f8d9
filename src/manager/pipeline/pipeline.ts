import { asFairleadError } from '#lib/errors.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { DEPLOYMENT_CANCELLED } from '#manager/deployments/errors.ts'
import { seenNotebook } from '#manager/notebooks/seen-notebook.ts'
import { SEALED_VALUE_DAMAGED } from '#manager/secrets/errors.ts'
import { isStoreTrouble } from '#manager/store/store-error.ts'
import { openContext } from './context.ts'
import { watchDeployment } from './deployment-deadline.ts'
import { draftRelease } from './draft-release.ts'
import { STEP_GIVEN_UP } from './errors.ts'
import { placeAfter } from './leave-engines.ts'
import { recordStep } from './record-step.ts'
import type { EndedPipeline, PipelineEnd, PipelineParts, Step, StepContext, StepOutcome } from './step.ts'
import { announce } from './steps/announce.ts'
import { apply } from './steps/apply.ts'
import { attest } from './steps/attest.ts'
import { build } from './steps/build.ts'
import { checkout } from './steps/checkout.ts'
import { closePorts } from './steps/close-ports.ts'
import { collect } from './steps/collect.ts'
import { compare } from './steps/compare.ts'
import { stackSteps } from './steps/compose-stack.ts'
import { openPorts } from './steps/open-ports.ts'
import { plan } from './steps/plan.ts'
import { prune } from './steps/prune.ts'
import { push } from './steps/push.ts'
import { read } from './steps/read.ts'
import { retrieve } from './steps/retrieve.ts'
import { route } from './steps/route.ts'
import { settings } from './steps/settings.ts'
import { stop } from './steps/stop.ts'
import { stopAfterBuild } from './steps/stop-after-build.ts'
import { takeDown } from './steps/take-down.ts'
import { goBack } from './steps/undo.ts'
import { verify } from './steps/verify.ts'
import { watch } from './steps/watch.ts'
import { writeBack } from './steps/write-back.ts'

/** The steps of each kind of deployment, in order. Steps in one bracket run at once where the plan allows it. */
export const STEPS = {
  deploy: [
    ...[
      checkout,
      read,
      compare,
      plan,
      build,
      stopAfterBuild,
      openPorts,
      [push, apply],
      verify,
      route,
      watch,
      closePorts,
      announce,
      attest,
      prune,
    ],
    writeBack,
  ],
  /** The same with the source replaced by an earlier release: what is built then is fetched. */
  release: [
    ...[retrieve, plan, build, openPorts, [push, apply], verify, route, watch],
    ...[closePorts, announce, prune, writeBack],
  ],
  remove: [takeDown, closePorts],
  stop: [stop, closePorts],
  /** Of an app that is a folder of its host: what is wanted is what lies there. */
  stack: stackSteps,
  /** Of an app that Fairlead brings itself: what is wanted is kept with the app. */
  own: [collect, settings, plan, openPorts, apply, verify, closePorts, announce],
} satisfies Record<string, readonly (Step | readonly Step[])[]>

/** Once one of these has begun, a failure or a cancellation takes back what was done. */
const CHANGES_WHAT_RUNS: readonly Step[] = [apply, verify, route, watch]

/** Runs the steps in order and stops at the first that does not end well. Writing the end down is finish.ts's work. */
export async function runPipeline(
  deployment: Deployment,
  parts: PipelineParts,
  signal: AbortSignal,
): Promise<PipelineEnd> {
  using deadline = watchDeployment(deployment, parts)
  const both = AbortSignal.any([signal, deadline.signal])
  const context = await openContext(deployment, parts, { signal: both, deadline }).catch(endDamaged)
  if ('state' in context) {
    return context
  }
  const stages = [...stagesOf(context)]
  let position = 0
  let reached: EndedPipeline | undefined
  for (let stage = stages.shift(); stage; stage = stages.shift()) {
    const steps = (Array.isArray(stage) ? (stage as readonly Step[]) : [stage as Step]).filter(
      step => step.isWanted?.(context) ?? true,
    )
    const ended = await runStage(steps, position, context)
    position += steps.length
    const trouble = ended.find(end => isStoreTrouble(end.error))
    if (trouble) {
      // Not a failure of the deployment: it is adopted again, as after a restart.
      throw trouble.error
    }
    const bad = ended.filter(end => end.error !== undefined)
    const failed = bad.find(end => !STEP_GIVEN_UP.matches(end.error)) ?? bad[0]
    if (failed) {
      return signal.reason === 'shutdown'
        ? { state: 'left-running' }
        : await endBadly({ steps, failed: failed.step, thrown: failed.error }, context)
    }
    for (const { outcome } of ended) {
      if (outcome?.kind === 'finished') {
        const { kind: _, ...end } = outcome
        reached = { state: 'succeeded', ...end }
        // What was to be reported the last time may not have got there.
        stages.splice(0, stages.length, ...(end.outcome === 'nothing-to-do' ? [writeBack] : []))
      }
      if (outcome?.kind === 'waiting') {
        return { state: 'waiting' }
      }
    }
  }
  return {
    ...(reached ?? succeeded(context)),
    notebook: seenNotebook(context),
    visitors: context.parts.agents.state(context.app.host)?.agent?.visitors,
  }
}

/** What was kept of a deployment cannot be read: how far it came is not known, so nothing is said to be taken back. */
function endDamaged(error: unknown): EndedPipeline {
  if (!SEALED_VALUE_DAMAGED.matches(error)) {
    throw error
  }
  const failure = asFairleadError(error)
  return { state: 'failed', outcome: 'return-incomplete', error: failure, failedStep: 'plan' }
}

/** A deployment whose goal is a release needs nothing of the repository, whatever it was asked for by. */
function stagesOf({ app, deployment }: StepContext): readonly (Step | readonly Step[])[] {
  const { kind, wantedRelease } = deployment
  if (kind === 'remove' || kind === 'stop') {
    return STEPS[kind]
  }
  if (app.stack !== null) {
    return STEPS.stack
  }
  if (app.repository_id === null && wantedRelease === undefined) {
    return STEPS.own
  }
  return wantedRelease === undefined ? STEPS.deploy : STEPS.release
}

interface EndedStep {
  readonly step: Step
  readonly outcome?: StepOutcome
  readonly error?: unknown
}

/** Runs the steps of a stage: at once, or one after the other when one needs what another finds out. All are awaited. */
async function runStage(
  steps: readonly Step[],
  position: number,
  context: StepContext,
): Promise<readonly EndedStep[]> {
  const runs = steps.map((step, index) => ({ step, index, stop: new AbortController() }))
  const run = async ({ step, index, stop }: (typeof runs)[number]): Promise<EndedStep> => {
    const signal = AbortSignal.any([context.signal, stop.signal])
    try {
      return { step, outcome: await recordStep(step, position + index, { ...context, signal }) }
    } catch (error) {
      const others = isStoreTrouble(error) ? [] : runs.filter(each => each.step !== step)
      for (const other of others) {
        other.stop.abort(STEP_GIVEN_UP(other.step.name, step.name))
      }
      return { step, error }
    }
  }
  if (steps.length > 1 && !applyWaitsForPush(context)) {
    return await Promise.all(runs.map(run))
  }
  const ended: EndedStep[] = []
  for (const each of runs) {
    const end = await run(each)
    ended.push(end)
    if (end.error !== undefined) {
      break
    }
  }
  return ended
}

/** Apply that runs an image by the digest of its push has to wait for it. */
function applyWaitsForPush({ facts }: StepContext): boolean {
  const pushed = facts.plan?.push.map(tell => tell.key) ?? []
  const apply = JSON.stringify(facts.plan?.apply ?? [])
  return pushed.some(key => apply.includes(`"$result":${JSON.stringify(key)}`))
}

function succeeded(context: StepContext): EndedPipeline {
  const { plan: planned, domains = [] } = context.facts
  if (!planned) {
    return { state: 'succeeded', outcome: context.deployment.kind === 'stop' ? 'stopped' : 'removed' }
  }
  return {
    state: 'succeeded',
    outcome: context.deployment.kind === 'rollback' ? 'rolled-back' : 'deployed',
    evidence: evidenceOf(context),
    domains,
    place: placeAfter(context),
    release: draftRelease(context, planned),
  }
}

/** What was seen, not what was meant: the results of verify, route and watch. */
function evidenceOf(context: StepContext): Record<string, unknown> {
  const tells = [
    ...(context.facts.plan?.push ?? []),
    ...(context.facts.plan?.verify ?? []),
    ...(context.facts.plan?.route ?? []),
    ...(context.facts.plan?.watch ?? []),
  ]
  const seen = tells.map(tell => [tell.key, context.results.get(tell.key) ?? null])
  const { remotes = [] } = context.facts.source ?? {}
  const others = remotes.map(({ name, url, branch, commit }) => ({ name, url, branch, commit }))
  return { ...Object.fromEntries(seen), ...(others.length > 0 ? { repositories: others } : {}) }
}

async function endBadly(
  { steps, failed: step, thrown }: { steps: readonly Step[]; failed: Step; thrown: unknown },
  context: StepContext,
): Promise<EndedPipeline> {
  // What failed by itself and is cancelled on its way back has failed.
  const cancelled = DEPLOYMENT_CANCELLED.matches(thrown)
  const error = cancelled ? DEPLOYMENT_CANCELLED() : asFairleadError(thrown)
  context.say(`${step.name} ${cancelled ? 'was cancelled' : `failed: ${error.message}`}`)
  if (!cancelled) {
    context.say(`hint: ${error.hint}`)
  }
  const hasBegun = steps.some(each => CHANGES_WHAT_RUNS.includes(each))
  const undone = await goBack(context, { failure: error, hasBegun })
  return {
    state: cancelled ? 'cancelled' : 'failed',
    outcome: undone ?? (cancelled ? 'cancelled' : 'failed'),
    error,
    failedStep: step.name,
    notebook: seenNotebook(context),
  }
}
