import { Type } from 'typebox'
import { defineCommand } from './command.ts'
import { checkGuardianDisk } from './disk-check.ts'
import { findingsOf, HostChecked } from './host-check.ts'
import type { HostCheck } from './host-checks.ts'

const GUARDIAN_CHECKS: readonly HostCheck[] = [{ name: 'disk', look: checkGuardianDisk }]

/** A command of its own: managers of before refuse an answer to another one that says more than they know. */
export const guardianCheck = defineCommand({
  name: 'guardian.check',
  summary: 'Looks whether the guardian of this host has room for its files, and tells its time.',
  role: 'guardian',
  looksOnly: true,
  engineFree: true,
  data: Type.Object({}, { additionalProperties: false }),
  result: HostChecked,
  deadlineMs: 60_000,
  async run(hands) {
    return { checks: await findingsOf(hands, GUARDIAN_CHECKS, {}), now: hands.clock.now() }
  },
})
