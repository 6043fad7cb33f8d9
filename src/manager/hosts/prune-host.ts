import { type HostPruned, hostPrune } from '#commands/host-prune.ts'
import { newId } from '#lib/id.ts'
import { HOST_NOT_FOUND } from '#manager/agents/errors.ts'
import { namesOfApps } from '#manager/apps/names-of-apps.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { forgetNames, freeNames } from '#manager/releases/given-names.ts'
import { pinnedImages } from '#manager/releases/pinned-images.ts'
import { HOST_BUSY } from './errors.ts'

const HOUR_MS = 3_600_000
/** What deployments leave, too (targets). */
const BUILD_CACHE = { hours: 24, bytes: 5_000_000_000 } as const

export interface PruneWish {
  readonly dryRun: boolean
  /** Also images that Fairlead did not make. */
  readonly allUnused: boolean
  /** Younger images stay; default an hour. */
  readonly olderThanMs?: number | undefined
}

/**
 * Deletes what nothing needs on a host. While it does, no deployment begins there: one that just found its image here
 * must not lose it before it starts.
 */
export async function pruneHost(
  parts: Pick<ManagerParts, 'db' | 'agents' | 'queue' | 'keepReleases'>,
  host: string,
  wish: PruneWish,
): Promise<HostPruned> {
  const { db, agents, queue } = parts
  const known = await db.selectFrom('hosts').select('name').where('name', '=', host).executeTakeFirst()
  if (!known) {
    throw HOST_NOT_FOUND(host)
  }
  const held = wish.dryRun ? undefined : await queue.hold(host)
  try {
    if (held !== undefined && held.atWork > 0) {
      throw HOST_BUSY(host, held.atWork)
    }
    const { deadlineMs, name: command } = hostPrune
    const params = {
      ...(await namesOfApps(db)),
      keep: [...(await pinnedImages(db, parts.keepReleases))],
      given: [...(await freeNames(db, { host }))],
      allUnused: wish.allUnused,
      youngerThanMs: wish.olderThanMs ?? HOUR_MS,
      buildCache: BUILD_CACHE,
      dryRun: wish.dryRun,
    }
    const pruned = (await agents.tell(host, { id: newId(), command, params, deadlineMs })) as HostPruned
    for (const { engine, images } of wish.dryRun ? [] : pruned.engines) {
      const names = images.flatMap(image => image.names)
      await forgetNames(db, { host, engine }, names)
    }
    return pruned
  } finally {
    held?.release()
  }
}
