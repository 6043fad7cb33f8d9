import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { answersWith } from '#cli/demo/ask.ts'
import { startProcess } from '#cli/demo/background-process.ts'
import { freePort } from '#cli/demo/free-port.ts'
import type { World } from '#cli/demo/world.ts'
import { partCommandLine } from '#cli/parts.ts'
import type { Clock } from '#lib/clock.ts'
import type { Figure } from './figure.ts'
import { median } from './median.ts'

/** P4: from the start of a manager's process to the first 200 of /health/ready. The first start makes its database. */
export async function measureStarts(
  world: World,
  { clock, runs }: { clock: Clock; runs: number },
): Promise<Figure[]> {
  const folder = join(world.folder, 'start')
  const port = await freePort()
  const samples: number[] = []
  for (let run = 0; run <= runs; run++) {
    samples.push(await startOnce(folder, { port, clock }))
  }
  return [
    {
      id: 'P4',
      what: 'start of the manager to /health/ready 200',
      value: median(samples.slice(1)),
      unit: 'ms',
      target: '<= 1000',
      samples: samples.slice(1),
      note: `the very first one, with a new database: ${Math.round(samples[0] ?? 0)} ms`,
    },
  ]
}

async function startOnce(folder: string, { port, clock }: { port: number; clock: Clock }): Promise<number> {
  await mkdir(join(folder, 'manager'), { recursive: true })
  const environment = { FAIRLEAD_LISTEN: `127.0.0.1:${port}` }
  const { program, args, env } = partCommandLine({ name: 'manager', data: folder, environment })
  const startedAt = clock.monotonic()
  const started = await startProcess({
    program,
    args,
    folder,
    logFile: join(folder, 'manager.log'),
    env,
    ready: () => answersWith(200, `http://127.0.0.1:${port}/health/ready`),
  })
  const took = clock.monotonic() - startedAt
  await started.close()
  return took
}
