import { background } from '#lib/background.ts'
import type { Timer } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { HOST_BUSY } from './errors.ts'
import { pruneHost } from './prune-host.ts'

const HOUR_MS = 3_600_000
/** A host that is at work is looked at again so much later, this often. */
const AGAIN_MS = 5 * 60_000
const TRIES = 12

type Parts = Pick<ManagerParts, 'db' | 'agents' | 'queue' | 'keepReleases' | 'clock' | 'logger'>

/** Prunes every worker's host each so many hours; 0: never. */
export function startPruning(parts: Parts, everyHours: number): Timer | undefined {
  if (everyHours === 0) {
    return undefined
  }
  return parts.clock.every(everyHours * HOUR_MS, () => {
    background(pruneAll(parts), error => parts.logger.warn('prune.failed', { message: error.message }))
  })
}

export async function pruneAll(parts: Parts): Promise<void> {
  const hosts = await parts.db.selectFrom('hosts').select('name').where('role', '=', 'worker').execute()
  for (const { name } of hosts) {
    await pruneWhenIdle(parts, name, TRIES)
  }
}

async function pruneWhenIdle(parts: Parts, host: string, tries: number): Promise<void> {
  try {
    const { engines, problems } = await pruneHost(parts, host, { dryRun: false, allUnused: false })
    for (const { engine, images, containers, before, after } of engines) {
      const bytes = before.layer_bytes - (after?.layer_bytes ?? before.layer_bytes)
      const counts = { images: images.length, containers: containers.length, bytes }
      parts.logger.info('prune.done', { host, engine, ...counts })
    }
    for (const { engine, problem } of problems) {
      parts.logger.warn('prune.failed', { host, engine, message: problem })
    }
  } catch (error) {
    if (HOST_BUSY.matches(error) && tries > 1) {
      parts.clock.after(AGAIN_MS, () => {
        background(pruneWhenIdle(parts, host, tries - 1), () => undefined)
      })
      return
    }
    parts.logger.warn('prune.failed', { host, message: asFairleadError(error).message })
  }
}
