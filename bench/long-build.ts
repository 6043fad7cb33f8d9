import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pushAndTell } from '#cli/demo/watch-push.ts'
import type { World } from '#cli/demo/world.ts'
import type { Session } from '#cli/session.ts'
import type { Contender } from './bench-world.ts'
import type { Figure } from './figure.ts'
import { pssOf } from './processes.ts'
import { untilEnd } from './until-end.ts'

const LOOK_EVERY_MS = 250
const GIGABYTE = 1_000_000_000
/** Wide enough that the shell, and not its calls, decides how fast it prints. */
const LINE = 'x'.repeat(999)

/** P10: a build that prints 1 GB. The engine may hand on less of it (BuildKit cuts the output of a step). */
export async function measureLongBuild(
  session: Session,
  world: World,
  { repository, hook }: Contender,
): Promise<Figure[]> {
  const { clock, client } = session
  const { together, gitServer } = world
  await appendFile(join(repository.folder, 'app/Dockerfile'), `RUN yes ${LINE} | head -c ${GIGABYTE}\n`)
  await repository.commit('a long build')
  const parts = { manager: together.manager.pid, worker: together.worker.pid }
  const before = await memoryOf(parts)
  const most = { ...before }
  const watching = clock.every(LOOK_EVERY_MS, () => {
    void memoryOf(parts).then(({ manager, worker }) => {
      most.manager = Math.max(most.manager, manager)
      most.worker = Math.max(most.worker, worker)
    })
  })
  const startedAt = clock.monotonic()
  const { deployments } = await pushAndTell(session, { repository, hook, gitServer })
  const ended = await untilEnd(session, deployments[0] ?? '')
  const took = clock.monotonic() - startedAt
  watching.close()
  if (ended.state !== 'succeeded') {
    throw new Error(`the long build ended ${ended.state}: ${ended.error?.message}`)
  }
  const log = await client.text(`/deployments/${ended.id}/log`)
  const note = `${(log.length / 1024 ** 2).toFixed(1)} MiB of log kept; deployed in ${Math.round(took / 1000)} s`
  return (['worker', 'manager'] as const).map(part => ({
    id: 'P10',
    what: `build that prints 1 GB: growth of the ${part} (PSS)`,
    value: most[part] - before[part],
    unit: 'MiB',
    target: '<= 64',
    note: `from ${before[part].toFixed(0)} to ${most[part].toFixed(0)} MiB; ${note}`,
  }))
}

async function memoryOf({ manager, worker }: { manager: number; worker: number }) {
  return { manager: await pssOf(manager), worker: await pssOf(worker) }
}
