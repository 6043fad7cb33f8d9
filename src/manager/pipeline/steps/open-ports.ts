import { bringFirewall } from '#manager/firewall/bring-firewall.ts'
import { claimOpenings } from '#manager/firewall/openings.ts'
import { claimPublished } from '#manager/firewall/published-ports.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'

/**
 * Claims the ports of the host that the new release binds, and opens those that it wants to be reached at, beside those
 * of the one before.
 */
export const openPorts: Step = {
  name: 'open-ports',
  deadlineMs: 3 * 60_000,
  isWanted: ({ facts: { plan } }) => (plan?.opens ?? []).length + (plan?.publishes ?? []).length > 0,
  run: openWanted,
}

async function openWanted(context: StepContext): Promise<StepOutcome> {
  const { parts, app, deployment, facts, say, signal, workerLimitMs } = context
  const { opens: openings = [], publishes: ports = [] } = facts.plan ?? {}
  const { engine, leaving } = facts
  await claimPublished(parts.db, { app, deployment: deployment.id, engine, ports, leaving })
  if (openings.length === 0) {
    return done()
  }
  const guardian = await claimOpenings(parts.db, { app, deployment: deployment.id, openings })
  // Also when nothing is new: an earlier process may have noted it and gone no further.
  const { opened, refused } = await bringFirewall(parts, guardian, { waitMs: workerLimitMs, signal })
  const own = refused.find(each => each.app === app.name)
  if (own) {
    throw own.error
  }
  for (const what of opened) {
    say(`opened ${what}`)
  }
  return done()
}
