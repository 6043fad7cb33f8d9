import type { World } from '#cli/demo/world.ts'
import type { Clock } from '#lib/clock.ts'
import type { Figure } from './figure.ts'
import { processorTimeOf, pssOf } from './processes.ts'

const SETTLE_MS = 10_000
const WATCH_MS = 10_000

/** P3: memory of manager and worker after 10 s without work, and their processor time over the next 10 s. */
export async function measureIdle({ together }: World, clock: Clock): Promise<Figure[]> {
  const pids = [together.manager.pid, together.worker.pid]
  await clock.sleep(SETTLE_MS)
  const memory = await Promise.all(pids.map(pssOf))
  const before = await sumOf(pids)
  await clock.sleep(WATCH_MS)
  const share = (((await sumOf(pids)) - before) / WATCH_MS) * 100
  const total = memory.reduce((sum, each) => sum + each, 0)
  const [manager = 0, worker = 0] = memory
  return [
    {
      id: 'P3',
      what: 'idle memory (PSS), manager and worker',
      value: total,
      unit: 'MiB',
      target: '<= 120',
      note: `manager ${manager.toFixed(0)}, worker ${worker.toFixed(0)}; after ${SETTLE_MS / 1000} s without work`,
    },
    { id: 'P3', what: 'idle processor share of one core', value: share, unit: '%', target: '<= 0.5' },
  ]
}

async function sumOf(pids: readonly number[]): Promise<number> {
  const times = await Promise.all(pids.map(processorTimeOf))
  return times.reduce((sum, time) => sum + time, 0)
}
