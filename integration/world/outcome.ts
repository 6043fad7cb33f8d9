import assert from 'node:assert/strict'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import { systemClock } from '#lib/clock.ts'
import { FairleadError } from '#lib/errors.ts'
import type { System } from './system.ts'

const WITHIN_MS = 180_000
const LOOK_AGAIN_MS = 50

/** How the deployment ended that a request answered with. */
export async function endOf(
  system: System,
  asked: Promise<Pick<DeploymentDocument, 'id'>>,
): Promise<DeploymentDetail> {
  const { id } = await asked
  return await awaited(async () => {
    const detail = await system.together().client.get<DeploymentDetail>(`/deployments/${id}`)
    return detail.finished_at === null ? undefined : detail
  }, LOOK_AGAIN_MS)
}

/** It has to end so. */
export async function mustEnd(
  system: System,
  asked: Promise<DeploymentDocument>,
  outcome = 'deployed',
): Promise<DeploymentDetail> {
  const ended = await endOf(system, asked)
  const log = ended.state === 'succeeded' ? '' : await system.logOf(ended.id)
  assert.deepEqual([ended.error?.message, ended.outcome], [undefined, outcome], log)
  return ended
}

export async function refused(code: string | undefined, asked: Promise<unknown>): Promise<void> {
  await assert.rejects(
    asked,
    error => error instanceof FairleadError && (code === undefined || error.code === code),
  )
}

/** What a question gives in the end; it is asked until it gives something. */
export async function awaited<T>(ask: () => Promise<T | undefined>, everyMs = 200): Promise<T> {
  const signal = AbortSignal.timeout(WITHIN_MS)
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) {
      return answer
    }
    await systemClock.sleep(everyMs, signal)
  }
}
