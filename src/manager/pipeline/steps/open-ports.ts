import { bringFirewall } from '#manager/firewall/bring-firewall.ts'
import { claimOpenings } from '#manager/firewall/openings.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'

/** Opens the ports that the new release wants, beside those of the one before. */
export const openPorts: Step = {
  name: 'open-ports',
  deadlineMs: 3 * 60_000,
  isWanted: ({ facts }) => (facts.plan?.opens?.length ?? 0) > 0,
  run: openWanted,
}

async function openWanted(context: StepContext): Promise<StepOutcome> {
  const { parts, app, deployment, facts, say, signal, workerLimitMs } = context
  const openings = facts.plan?.opens ?? []
  const guardian = await claimOpenings(parts.db, { app, deployment: deployment.id, openings })
  // Also when nothing is new: an earlier process may have noted it and gone no further.
  const { opened } = await bringFirewall(parts, guardian, { waitMs: workerLimitMs, signal })
  for (const what of opened) {
    say(`opened ${what}`)
  }
  return done()
}
