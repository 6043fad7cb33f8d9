import type { StepContext } from './step.ts'
import { endTold } from './tell-worker.ts'

/**
 * A step that an earlier process began and that was cancelled since: its commands may still be at work on the host. They
 * are told to end, and are waited for, before anything is taken back.
 */
export async function endLeft(context: StepContext): Promise<never> {
  const { parts, deployment, step, signal } = context
  const left = await parts.db
    .selectFrom('commands')
    .select(['id', 'key', 'command'])
    .where('deployment_id', '=', deployment.id)
    .where('step', '=', step)
    .where('state', '=', 'told')
    .execute()
  await Promise.allSettled(left.map(command => endTold(context, command)))
  throw signal.reason
}
