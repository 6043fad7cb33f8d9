import { claimDomains } from '#manager/apps/domains.ts'
import type { StepContext } from './step.ts'

/**
 * Takes the domains that the app is to have, and notes its target: taking it down and reading its logs need to know
 * how it runs, without a checkout. Likewise what is to be done about drift.
 */
export async function claimForApp({ parts, app, facts }: StepContext): Promise<void> {
  await claimDomains(parts.db, app.id, facts.domains ?? [])
  const { target, onDrift = app.on_drift } = facts
  if (target && (target.name !== app.target || onDrift !== app.on_drift)) {
    const known = { target: target.name, on_drift: onDrift }
    await parts.db.updateTable('apps').set(known).where('id', '=', app.id).execute()
  }
}
