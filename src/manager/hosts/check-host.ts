import { type HostChecked, hostCheck } from '#commands/host-check.ts'
import { COMMANDS } from '#commands/index.ts'
import { newId } from '#lib/id.ts'
import { unknownCommands } from '#manager/agents/unknown-commands.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { registryInUse } from '#manager/registry/registry-in-use.ts'

/** Certificates and signatures are told by time. */
const MOST_SKEW_MS = 30_000

/** What the host found when it looked for what is wrong, and how far its clock is off. */
export async function checkHost(
  parts: Pick<PipelineParts, 'db' | 'sealer' | 'registry' | 'agents' | 'clock'>,
  host: string,
): Promise<HostChecked['checks']> {
  const registry = await registryInUse(parts)
  const { deadlineMs, name: command } = hostCheck
  const params = registry ? { registry } : {}
  const asked = parts.clock.now()
  const { checks, now } = (await parts.agents.tell(host, {
    ...{ id: newId(), command, params, deadlineMs, waitMs: 0 },
  })) as HostChecked
  // Its answer is of some moment in between.
  const skewMs = now < asked ? asked - now : Math.max(0, now - parts.clock.now())
  const detail = `its clock is ${(skewMs / 1_000).toFixed(1)} s off`
  const mend = skewMs > MOST_SKEW_MS ? 'Let both machines take their time from the same servers (NTP).' : null
  return [...checks, releaseCheck(parts, host), { name: 'clock', detail, mend }]
}

/** What this manager tells workers, and this one does not know: it would be told in vain. */
function releaseCheck(
  { agents }: Pick<PipelineParts, 'agents'>,
  host: string,
): HostChecked['checks'][number] {
  const ofWorkers = COMMANDS.filter(({ role }) => role === 'worker').map(({ name }) => name)
  const missing = unknownCommands(agents, host, ofWorkers)
  return missing.length === 0
    ? { name: 'release', detail: 'its worker knows all that this manager tells', mend: null }
    : {
        name: 'release',
        detail: `its worker is older than this manager and does not know ${missing.join(', ')}`,
        mend: 'Bring it to the release of the manager and start it anew ("systemctl restart fairlead-worker" there).',
      }
}
