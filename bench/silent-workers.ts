import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Journal } from '#agent/journal.ts'
import { Obey } from '#agent/obey.ts'
import { peersIn } from '#agent/peers.ts'
import { AgentServer } from '#agent/serve.ts'
import type { Command, HostFacts } from '#commands/command.ts'
import { hostObserve } from '#commands/host-observe.ts'
import type { Clock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { loadOrCreateIdentity, publicIdentity } from '#link/identity.ts'

export interface SilentWorker {
  readonly name: string
  readonly address: string
  /** For POST /hosts. */
  readonly identity: Record<string, unknown>
}

interface Wanted {
  readonly folder: string
  readonly manager: unknown
  readonly clock: Clock
  /** Names of the apps of the worker with this name. */
  readonly appsOf: (name: string) => readonly string[]
}

/** Agents with real links that do nothing but say that each of their apps runs in one container. */
export async function startSilentWorkers(
  stack: AsyncDisposableStack,
  count: number,
  wanted: Wanted,
): Promise<SilentWorker[]> {
  const workers: SilentWorker[] = []
  for (let number = 0; number < count; number++) {
    workers.push(await startOne(stack, `worker-${String(number).padStart(3, '0')}`, wanted))
  }
  return workers
}

async function startOne(
  stack: AsyncDisposableStack,
  name: string,
  { folder, manager, clock, appsOf }: Wanted,
): Promise<SilentWorker> {
  const data = join(folder, name)
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const identity = loadOrCreateIdentity({ folder: data, clock, name, role: 'worker' })
  const peers = peersIn(data)
  peers.trust(manager)
  peers.load()
  const journal = new Journal(join(data, 'journal.db'), clock)
  stack.defer(() => journal.close())
  const common = { journal, clock, logger: silentLogger }
  const observe = { ...hostObserve, run: async () => seen(appsOf(name)) } as unknown as Command
  const obey = new Obey({
    ...common,
    role: 'worker',
    commands: [observe],
    host: { name } as HostFacts,
    createPerform: () => async () => {
      throw new Error('A silent worker makes no calls.')
    },
    takeUp: async () => undefined,
    logs: join(data, 'commands'),
  })
  const listen = { host: '127.0.0.1', port: 0 }
  const server = await AgentServer.start({ ...common, identity, peers, listen, build: 'bench', obey })
  stack.defer(() => server.close())
  stack.defer(() => obey.close())
  return { name, address: `127.0.0.1:${server.port}`, identity: { ...publicIdentity(identity) } }
}

function seen(apps: readonly string[]) {
  const containers = apps.map(app => ({
    ...{
      app,
      service: '',
      id: `c-${app}`,
      name: app,
      state: 'running',
      health: 'healthy',
      exitCode: 0,
      restarts: 0,
    },
    ...{ startedAt: '2026-01-01T00:00:00Z', image: app, imageId: app, configHash: app, ports: [] },
  }))
  return { containers, foreign: [], configurations: {}, routes: null, key: 'none', network: 'none' }
}
