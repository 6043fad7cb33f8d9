import { refuseStranger } from '#manager/organisations/refuse-stranger.ts'
import type { Tell } from '#targets/target.ts'
import type { Facts, StepContext } from './step.ts'

/** What each run of a deployment by this process found out. Not kept over a restart: it is asked again then. */
const refusedNot = new WeakSet<Facts>()

/** Throws unless the repository may be deployed now. Asked once for a deployment while a process works on it. */
export async function refuseOnce({ facts, parts, repository }: StepContext): Promise<void> {
  if (repository && !refusedNot.has(facts)) {
    await refuseStranger(parts, repository)
    refusedNot.add(facts)
  }
}

/** Whether a command goes to the repository, with what opens it. */
export function goesToRepository({ repository }: StepContext, { data }: Tell): boolean {
  return repository !== undefined && data.repository === repository.id && data.url !== undefined
}
