import { endsAll } from '#manager/deployments/deployment.ts'
import { bringFirewall } from '#manager/firewall/bring-firewall.ts'
import { keepOnly } from '#manager/firewall/openings.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'

/** Closes the ports that nothing of the app listens at any more. A guardian that is away does it when it is back. */
export const closePorts: Step = {
  name: 'close-ports',
  deadlineMs: 3 * 60_000,
  onFailure: 'ignore',
  isWanted: ({ deployment, facts }) => endsAll(deployment) || facts.plan?.closes === true,
  run: closeUnwanted,
}

async function closeUnwanted(context: StepContext): Promise<StepOutcome> {
  const { parts, app, deployment, say, signal, workerLimitMs } = context
  const kept = endsAll(deployment) ? undefined : deployment.id
  const guardian = await keepOnly(parts.db, app, kept)
  if (guardian === undefined) {
    return { kind: 'skipped' }
  }
  const { closed } = await bringFirewall(parts, guardian, { waitMs: workerLimitMs, signal })
  for (const what of closed) {
    say(`closed ${what}`)
  }
  return done()
}
