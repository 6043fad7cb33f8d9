import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { type PartProcess, partProcess } from '#world/part-process.ts'
import { startSecondEngine } from '#world/second-engine.ts'
import { type System, startSystem } from '#world/system.ts'
import type { Target, Victim } from './case.ts'
import { addCrashApp, type CrashApp } from './crash-app.ts'
import { type Engine, startEngine } from './engine.ts'

/** Where both parts may read. */
const FAILPOINT = 'manager/failpoint'

/** Fairlead with real parts around it, each of which can be stopped at a failpoint, killed and started again. */
export interface CrashWorld {
  readonly system: System
  readonly manager: PartProcess
  readonly worker: PartProcess
  /** The engine, if it is this world's own. */
  readonly engine: Engine | undefined
  readonly dockerSocket: string | undefined
  app(target: Target): Promise<CrashApp>
  /** From now on the part with this failpoint stops there. */
  arm(failpoint: string): Promise<void>
  disarm(): Promise<void>
  /** Kills what is stopped or running, lets the others go on, and starts the killed ones again. */
  crash(victim: Victim): Promise<void>
}

/** `own`: with an engine that can be killed; `swarm`: with one that is a swarm besides. */
export async function startCrashWorld(
  stack: AsyncDisposableStack,
  {
    engine: kind,
    settings = {},
  }: {
    readonly engine: 'shared' | 'own' | 'swarm'
    /** Further ones of the parts. */
    readonly settings?: Readonly<Record<string, string>>
  },
): Promise<CrashWorld> {
  const engine = await engineOf(kind, stack)
  const system = await startSystem(stack, {
    store: 'file',
    environment: settings,
    ...(engine ? { dockerSocket: engine.socket } : {}),
  })
  const failpoints = join(system.folder, FAILPOINT)
  const environment = { NODE_ENV: 'test', TEST_FAILPOINTS: failpoints }
  // It deploys more often without a person than anybody would who is not going round in a circle.
  const unlimited = { ...environment, FAIRLEAD_MOST_UNATTENDED: '0' }
  const manager = await partProcess(system.together().manager, unlimited)
  const worker = await partProcess(system.together().worker, environment)
  stack.defer(async () => void (await Promise.all([manager.close(), worker.close()])))
  const parts = [manager, worker]
  for (const part of parts) {
    await part.kill()
    await part.start()
  }
  const apps = new Map<Target, Promise<CrashApp>>()

  return {
    system,
    manager,
    worker,
    engine,
    dockerSocket: engine?.socket,
    app(target) {
      const app = apps.get(target) ?? addCrashApp(system, target)
      apps.set(target, app)
      return app
    },
    arm: failpoint => writeFile(failpoints, failpoint),
    disarm: () => rm(failpoints, { force: true }),
    async crash(victim) {
      const killed = parts.filter(part => victimsOf(victim, { manager, worker }).includes(part))
      await Promise.all(killed.map(part => part.kill()))
      if (victim === 'engine') {
        await engine?.kill()
      }
      for (const part of parts.filter(each => !killed.includes(each) && isStopped(each.pid))) {
        process.kill(part.pid, 'SIGCONT')
      }
      await Promise.all(killed.map(part => part.start()))
      if (victim === 'engine') {
        await engine?.start()
      }
    },
  }
}

async function engineOf(
  kind: 'shared' | 'own' | 'swarm',
  stack: AsyncDisposableStack,
): Promise<Engine | undefined> {
  if (kind !== 'swarm') {
    return kind === 'own' ? await startEngine(stack) : undefined
  }
  // The networks of a swarm need a network namespace of their own.
  const engine = await startSecondEngine(stack)
  await engine.docker('swarm', 'init', '--advertise-addr', engine.ip)
  return engine
}

/** Resolves when the process has stopped itself; `false` when something else happened first. */
export async function untilStopped(parts: readonly PartProcess[], over: () => boolean): Promise<boolean> {
  while (!over()) {
    if (parts.some(part => isStopped(part.pid))) {
      return true
    }
    await systemClock.sleep(5)
  }
  return false
}

function victimsOf(
  victim: Victim,
  { manager, worker }: Pick<CrashWorld, 'manager' | 'worker'>,
): readonly PartProcess[] {
  switch (victim) {
    case 'manager':
      return [manager]
    case 'worker':
      return [worker]
    case 'both':
      return [manager, worker]
    case 'engine':
      return []
  }
}

function isStopped(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
}
