import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { init, trust } from '#agent/enrol.ts'
import { startProcess } from '#cli/demo/background-process.ts'
import { programOf } from '#cli/part-program.ts'
import { askPart, writePrivateFile } from '#cli/parts.ts'
import type { HostDocument } from '#contract/rest/hosts.ts'
import { systemClock } from '#lib/clock.ts'
import type { IncusHost } from './incus.ts'
import { awaited } from './outcome.ts'
import type { System } from './system.ts'

const PORT = 7444

export interface GuardedPlace {
  /** Network namespace by path, and its address. */
  readonly namespace: string
  readonly ip: string
}

/** A real guardian that keeps the firewall of the network namespace of an Incus host, and opens what may be opened. */
export async function guardIncus(
  stack: AsyncDisposableStack,
  system: System,
  { incus, worker, bounds }: { readonly incus: IncusHost; readonly worker: string; readonly bounds: string },
): Promise<void> {
  const guardian = await startGuardian(stack, system, { at: incus, name: `${worker}-guardian`, bounds })
  await system.together().client.send('PUT', `/hosts/${worker}/guardian`, { guardian })
}

/** A guardian that the manager knows and reaches, in a network namespace; gives its name. */
export async function startGuardian(
  stack: AsyncDisposableStack,
  system: System,
  { at, name, bounds }: { readonly at: GuardedPlace; readonly name: string; readonly bounds: string },
): Promise<string> {
  const folder = join(system.folder, name)
  const data = join(folder, 'guardian')
  const address = `${at.ip}:${PORT}`
  const boundsFile = writePrivateFile(folder, 'bounds.yaml', bounds)
  const identity = init({ data, name }, { role: 'guardian', clock: systemClock })
  const manager = { name: 'manager', data: system.folder, environment: {}, arguments: ['identity'] } as const
  const managerFile = join(folder, 'manager.json')
  await writeFile(managerFile, await askPart(manager))
  trust({ data, name: identity.name }, managerFile)
  const logFile = join(folder, 'guardian.log')
  const guardian = await startProcess({
    program: 'nsenter',
    args: [`--net=${at.namespace}`, process.execPath, programOf('guardian')],
    env: {
      FAIRLEAD_DATA: folder,
      FAIRLEAD_GUARDIAN_LISTEN: address,
      FAIRLEAD_GUARDIAN_BOUNDS: boundsFile,
      FAIRLEAD_GUARDIAN_LOOK_SECONDS: '1',
    },
    ...{ folder, logFile, readyWithinMs: 60_000 },
    ready: async () => (await readFile(logFile, 'utf8')).includes('"event":"guardian.listening"'),
  })
  stack.defer(() => guardian.close())
  const { client } = system.together()
  await client.send('POST', '/hosts', { address, identity })
  await awaited(async () => {
    const { items } = await client.get<{ items: HostDocument[] }>('/hosts')
    return items.find(({ name, online }) => name === identity.name && online)
  })
  return name
}
