import { settingsOf } from '#lib/settings.ts'
import type { PartName } from './parts.ts'

/** The rest of a person's environment is nothing that a part reads: programs on a host get one that is made for them. */
const OF_THE_SYSTEM = ['TZ', 'LANG', 'LC_ALL', 'NODE_EXTRA_CA_CERTS']

/** What a part may know of its caller's environment: its own settings, so that no secret of the other one gets there. */
export function partEnvironment(
  part: PartName,
  environment: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = settingsOf(part).map(({ name }) => name)
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => own.includes(name) || OF_THE_SYSTEM.includes(name)),
  )
}
