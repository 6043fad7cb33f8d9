import { guardianCheck } from '#commands/guardian-check.ts'
import { type HostChecked, hostCheck } from '#commands/host-check.ts'
import { COMMANDS } from '#commands/index.ts'
import { newId } from '#lib/id.ts'
import { unknownCommands } from '#manager/agents/unknown-commands.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { registryInUse } from '#manager/registry/registry-in-use.ts'
import { readHost } from './hosts.ts'

/** Certificates and signatures are told by time. */
const MOST_SKEW_MS = 30_000
const ENGINE_DISK = 'engine disk'

type Parts = Pick<PipelineParts, 'db' | 'sealer' | 'registry' | 'agents' | 'clock'>
type Check = HostChecked['checks'][number]

export interface CheckedHost {
  readonly checks: Check[]
  /** Its clock minus ours; null: its agent does not tell. */
  readonly skewMs: number | null
}

/** What the agent of the host found when it looked for what is wrong, and how far its clock is off. */
export async function checkHost(parts: Parts, host: string): Promise<CheckedHost> {
  const { role } = await readHost(parts.db, host)
  return role === 'guardian' ? await checkGuardian(parts, host) : await checkWorker(parts, host)
}

async function checkWorker(parts: Parts, host: string): Promise<CheckedHost> {
  const registry = await registryInUse(parts)
  const params = registry ? { registry } : {}
  const { checks, skewMs } = await ask(parts, host, { command: hostCheck, params })
  const isOlder = !checks.some(({ name }) => name === ENGINE_DISK)
  return {
    skewMs,
    checks: [
      ...checks,
      ...(isOlder ? [notTold(ENGINE_DISK, 'worker')] : []),
      releaseCheck(parts, host),
      clockCheck(skewMs),
    ],
  }
}

/** One of before does its work as well without telling of itself. */
async function checkGuardian(parts: Parts, host: string): Promise<CheckedHost> {
  if (unknownCommands(parts.agents, host, [guardianCheck.name]).length > 0) {
    return { skewMs: null, checks: ['disk', 'clock'].map(name => notTold(name, 'guardian')) }
  }
  const { checks, skewMs } = await ask(parts, host, { command: guardianCheck, params: {} })
  return { skewMs, checks: [...checks, clockCheck(skewMs)] }
}

interface Asked {
  readonly command: { readonly name: string; readonly deadlineMs: number }
  readonly params: object
}

async function ask({ agents, clock }: Parts, host: string, { command, params }: Asked) {
  const asked = clock.now()
  const { checks, now } = (await agents.tell(host, {
    ...{ id: newId(), command: command.name, params, deadlineMs: command.deadlineMs, waitMs: 0 },
  })) as HostChecked
  // Its answer is of some moment in between.
  const skewMs = now < asked ? now - asked : Math.max(0, now - clock.now())
  return { checks, skewMs }
}

function clockCheck(skewMs: number): Check {
  const offMs = Math.abs(skewMs)
  const detail = `its clock is ${(offMs / 1_000).toFixed(1)} s off`
  const mend = offMs > MOST_SKEW_MS ? 'Let both machines take their time from the same servers (NTP).' : null
  return { name: 'clock', detail, mend }
}

function notTold(name: string, role: string): Check {
  return { name, detail: `not told by this version of its ${role}`, mend: null }
}

/** What this manager tells workers, and this one does not know: it would be told in vain. */
function releaseCheck({ agents }: Pick<Parts, 'agents'>, host: string): Check {
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
