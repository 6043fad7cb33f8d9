import type { ResultDocument } from '#contract/rest/result.ts'
import { changeText } from '#manager/pipeline/plan-difference.ts'
import type { Plan } from '#targets/target.ts'
import { type Deployment, endsAll, type StepRecord } from './deployment.ts'
import { isWithoutEffect } from './without-effect.ts'

type Entry = ResultDocument[string][number]

/** Where nothing was done, in the words that scripts may look for. */
const NOTHING = 'There was nothing to do so I did nothing'
const STEPS = ['build', 'push', 'apply', 'verify', 'route', 'watch', 'prune'] as const

/** How a deployment went, as CI jobs keep it: for its app what was done, what is worth knowing, and what failed. */
export function resultOf(deployment: Deployment, steps: readonly StepRecord[]): ResultDocument {
  const plan = deployment.plan as Plan | undefined
  return { [deployment.app]: [...endOf(deployment, plan), ...warningsOf(deployment, steps)] }
}

function endOf(deployment: Deployment, plan: Plan | undefined): Entry[] {
  const { state, outcome, commit, kind } = deployment
  switch (state) {
    case 'succeeded':
      break
    case 'failed':
    case 'cancelled':
      return errorsOf(deployment)
    case 'superseded':
      return [{ warning: 'A newer deployment took over.' }]
    default:
      return [{ warning: `It has not ended: it is ${state}.` }]
  }
  if (outcome === 'dry-run') {
    return [{ result: 'Dry run: nothing was done.' }, ...changesOf(plan), ...commandsOf(plan)]
  }
  if (isWithoutEffect(outcome) && outcome !== 'built' && outcome !== 'files-gone') {
    return [{ result: NOTHING }]
  }
  const of = commit === undefined || endsAll({ kind }) ? '' : ` at commit ${commit}`
  return [...(outcome === 'files-gone' ? [] : changesOf(plan)), { result: `${outcome ?? 'succeeded'}${of}` }]
}

function changesOf(plan: Plan | undefined): Entry[] {
  const changes = plan?.changes.filter(({ kind }) => kind !== 'untouched') ?? []
  return changes.map(change => ({ result: changeText(change) }))
}

/** What each command is told is in the plan, which the deployment has. */
function commandsOf(plan: Plan | undefined): Entry[] {
  return STEPS.flatMap(step =>
    (plan?.[step] ?? []).map(({ key, command }) => ({ result: `would run in ${step}: ${command} (${key})` })),
  )
}

function errorsOf({ state, error, failedStep }: Deployment): Entry[] {
  const where = failedStep === undefined ? '' : `${failedStep}: `
  const problems = (error?.problems ?? []).map(({ file, line, message }) => ({
    error: `${file ?? ''}${line === undefined ? '' : `:${line}`} ${message}`.trim(),
  }))
  return [{ error: error ? `${where}${error.message} ${error.hint}` : `It was ${state}.` }, ...problems]
}

/** Steps whose failure did not fail the deployment. */
function warningsOf({ failedStep }: Deployment, steps: readonly StepRecord[]): Entry[] {
  return steps.flatMap(({ name, state, error }) =>
    state === 'failed' && error && name !== failedStep ? [{ warning: `${name}: ${error.message}` }] : [],
  )
}
