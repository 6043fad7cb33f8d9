import { claimDomains } from '#manager/apps/domains.ts'
import type { StepContext } from './step.ts'

/**
 * Takes the domains that the app is to have, and notes its target: taking it down and reading its logs need to know
 * how it runs, without a checkout.
 */
export async function claimForApp({ parts, app, facts }: StepContext): Promise<void> {
  await claimDomains(parts.db, app.id, facts.domains ?? [])
  const target = facts.target?.name
  if (target !== undefined && target !== app.target) {
    await parts.db.updateTable('apps').set({ target }).where('id', '=', app.id).execute()
  }
}
