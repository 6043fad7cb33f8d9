import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import { inertLine } from './inert.ts'
import { planLines, type ShownPlan } from './plan-lines.ts'
import type { Colours } from './print.ts'

/** A deployment that goes on only when a person approves its plan. */
export function isWaiting(deployment: Pick<DeploymentDetail, 'state' | 'approved'>): boolean {
  return deployment.state === 'waiting' && deployment.approved === null
}

/** The plan that a deployment waits with and, when another one was approved before, how it differs from that. */
export function waitingLines(deployment: DeploymentDetail, colour: Colours): string[] {
  const { app, commit, commit_subject: subject, plan_hash: hash, plan, steps } = deployment
  const { changes = [] } = (plan ?? {}) as Partial<Pick<ShownPlan, 'changes'>>
  const { changed = [] } = (steps.find(({ name }) => name === 'plan')?.outcome ?? {}) as {
    changed?: readonly string[]
  }
  const shown = { app, commit: commit ?? '', subject: subject ?? '', hash: hash ?? '', changes }
  return [
    ...planLines({ ...shown, nothingToDo: false }, colour),
    ...(changed.length > 0 ? [colour.yellow('  not what was approved before:')] : []),
    ...changed.map(text => `    ${inertLine(text)}`),
  ]
}
