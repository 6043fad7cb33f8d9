import type { DeploymentDetail } from '#contract/rest/deployments.ts'
import type { Case, Target, Work } from './case.ts'

const BACK = 'returned-to-previous'

/** What a deployment that succeeds says that it did. */
const DONE: Readonly<Record<Work, string>> = {
  deploy: 'deployed',
  first: 'deployed',
  approve: 'deployed',
  rollback: 'rolled-back',
  stop: 'stopped',
  remove: 'removed',
  failing: 'nothing: it fails',
  cancel: 'nothing: it is cancelled',
}

/** What an ill version is refused for. */
const REFUSED: Readonly<Record<Target, string>> = {
  container: 'CONTAINER_EXITED',
  compose: 'COMPOSE_SERVICE_UNHEALTHY',
}

/**
 * Where a killed engine may turn a deployment into a failure that goes back: the new containers ended with the engine
 * just when they were looked at. Everywhere else it is waited for.
 */
const ENGINE_MAY_FAIL: readonly string[] = [
  'container verify after-effect',
  'compose apply after-effect',
  'compose verify after-row',
  'compose verify after-effect',
]
const ENGINE_FAILURES: readonly string[] = ['CONTAINER_NOT_STEADY', 'COMPOSE_NOT_AS_PLANNED']

/** Whether the deployment did what was asked: a crash is no reason not to. Only an ill version fails, and only what
 * a person cancelled is cancelled, as without a crash. */
export function isRightEnd(crash: Case, end: DeploymentDetail | undefined): boolean {
  if (end?.state === 'succeeded') {
    return end.outcome === DONE[crash.work]
  }
  if (crash.work === 'cancel') {
    return end?.state === 'cancelled' && (end.outcome === 'cancelled' || end.outcome === BACK)
  }
  if (end?.state !== 'failed' || end.outcome !== BACK) {
    return false
  }
  const code = end.error?.code ?? ''
  return crash.work === 'failing' ? code === REFUSED[crash.target] : mayFail(crash, code)
}

/** Whether the engine's death is told as a failure, truthfully. */
function mayFail({ target, step, moment, victim }: Case, code: string): boolean {
  const place = `${target} ${step} ${moment}`
  return victim === 'engine' && ENGINE_MAY_FAIL.includes(place) && ENGINE_FAILURES.includes(code)
}
