import type { SeenFirewall } from '#commands/firewall-data.ts'
import { asFairleadError } from '#lib/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { type AppOpening, openingsAt, openText } from './openings.ts'
import { wantedOpenings } from './wanted-openings.ts'
import { observeFirewall } from './watch-firewalls.ts'

export interface FirewallRecord {
  readonly guardian: string
  /** Whose hosts it keeps. */
  readonly workers: readonly string[]
  readonly wanted: readonly AppOpening[]
  /** As the guardian says just now; undefined: it did not. */
  readonly seen: SeenFirewall | undefined
  /** Why it did not say, or what of the wanted is not asked of it. */
  readonly problem: string | undefined
  readonly isInSync: boolean
}

/** All guardians with what is wanted of them and what is. Each is asked now. */
export async function listFirewalls(
  parts: Pick<ManagerParts, 'db' | 'agents'>,
): Promise<readonly FirewallRecord[]> {
  const hosts = await parts.db
    .selectFrom('hosts')
    .select(['name', 'role', 'guardian'])
    .orderBy('name')
    .execute()
  const guardians = hosts.filter(({ role }) => role === 'guardian')
  return await Promise.all(
    guardians.map(async ({ name: guardian }) => {
      const workers = hosts.filter(host => host.guardian === guardian).map(({ name }) => name)
      const wanted = await openingsAt(parts.db, guardian)
      try {
        const seen = await observeFirewall(parts, guardian)
        const { openings, refused } = await wantedOpenings(parts.db, guardian)
        const isSame = seen.confirmed !== null && openText(seen.confirmed) === openText(openings)
        const problem = refused.map(({ app, error }) => `${app}: ${error.message}`).join(' ') || undefined
        const isInSync = isSame && seen.drift.length === 0 && seen.pending === null && problem === undefined
        return { guardian, workers, wanted, seen, problem, isInSync }
      } catch (thrown) {
        const problem = asFairleadError(thrown).message
        return { guardian, workers, wanted, seen: undefined, problem, isInSync: false }
      }
    }),
  )
}
