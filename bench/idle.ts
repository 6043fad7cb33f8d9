import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startProcess } from '#cli/demo/background-process.ts'
import { freePort } from '#cli/demo/free-port.ts'
import type { World } from '#cli/demo/world.ts'
import { askPart, partCommandLine } from '#cli/parts.ts'
import type { Clock } from '#lib/clock.ts'
import type { Figure } from './figure.ts'
import { processorTimeOf, pssOf } from './processes.ts'

const SETTLE_MS = 10_000
const WATCH_MS = 60_000
const START_MS = 20_000

/** P3: memory of the three parts after 10 s without work, and their processor time over the next minute, in which each repository is polled once. */
export async function measureIdle(world: World, clock: Clock): Promise<Figure[]> {
  const { together, folder } = world
  const guardian = await startGuardian(join(folder, 'idle'))
  try {
    const pids = [together.manager.pid, together.worker.pid, guardian.pid]
    await clock.sleep(SETTLE_MS)
    const memory = await Promise.all(pids.map(pssOf))
    const before = await sumOf(pids)
    await clock.sleep(WATCH_MS)
    const share = (((await sumOf(pids)) - before) / WATCH_MS) * 100
    const total = memory.reduce((sum, each) => sum + each, 0)
    const [manager = 0, worker = 0, third = 0] = memory
    return [
      {
        id: 'P3',
        what: 'idle memory (PSS), manager, worker and guardian',
        value: total,
        unit: 'MiB',
        target: '<= 120',
        note: `manager ${manager.toFixed(0)}, worker ${worker.toFixed(0)}, guardian ${third.toFixed(0)}; after ${SETTLE_MS / 1000} s without work`,
      },
      { id: 'P3', what: 'idle processor share of one core', value: share, unit: '%', target: '<= 0.5' },
    ]
  } finally {
    await guardian.close()
  }
}

/** In a network of its own, where nobody speaks to it and its rules close nothing. */
async function startGuardian(data: string) {
  const environment = { FAIRLEAD_GUARDIAN_LISTEN: `127.0.0.1:${await freePort()}` }
  const part = { name: 'guardian', data, environment } as const
  const identity = await askPart({ ...part, arguments: ['init'] })
  const manager = join(data, 'manager.json')
  await writeFile(manager, identity.replace(/"role": *"guardian"/, '"role":"manager"'))
  await askPart({ ...part, arguments: ['trust', manager] })
  const { program, args, env } = partCommandLine(part)
  const logFile = join(data, 'guardian', 'guardian.log')
  return await startProcess({
    program: 'unshare',
    args: ['--net', program, ...args],
    ...{ env, logFile, folder: data, readyWithinMs: START_MS },
    ready: async () => (await readFile(logFile, 'utf8')).includes('"event":"guardian.listening"'),
  })
}

async function sumOf(pids: readonly number[]): Promise<number> {
  const times = await Promise.all(pids.map(processorTimeOf))
  return times.reduce((sum, time) => sum + time, 0)
}
