import { commandNamed } from '#commands/index.ts'
import { asFairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { createDescribedApps } from '#manager/apps/create-described.ts'
import { noteShown } from '#manager/notebooks/note-shown.ts'
import { remoteOf } from '#manager/pipeline/source.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { checkRepository } from '#manager/repositories/check-repository.ts'
import { coverRemotes } from './cover-remotes.ts'
import { APP_NAME_TAKEN } from './errors.ts'
import { createPoller, type Poller } from './poll.ts'

/** A worker that is away now is asked at the next look, not waited for. */
const WAIT_MS = 2000

/** The poller that asks each repository's worker. */
export function pollerFor(parts: PipelineParts): Poller {
  return createPoller({
    db: parts.db,
    clock: parts.clock,
    events: parts.events,
    outbox: parts.outbox,
    logger: parts.logger,
    wake: parts.wake,
    ...(parts.random ? { random: parts.random } : {}),
    async tip(repository) {
      const { repository: _, ...params } = remoteOf(repository, parts.sealer)
      const result = await parts.agents.tell(repository.host, {
        id: newId(),
        command: 'repository.tip',
        params,
        deadlineMs: commandNamed('repository.tip').deadlineMs,
        waitMs: WAIT_MS,
      })
      return (result as { commit: string }).commit
    },
    async lookFurther(repository) {
      try {
        await coverRemotes(parts, repository)
      } catch (error) {
        // That it cannot be reached is no fault of this repository; a deployment that needs it says it.
        parts.logger.warn('poll.remote', {
          repository: repository.id,
          message: asFairleadError(error).message,
        })
      }
    },
    async discover(repository) {
      const described = await checkRepository(parts, repository)
      const { taken } = await createDescribedApps(parts, repository, described)
      const { shown, notebooks, source } = described
      await noteShown(parts, repository, { shown, notebooks, commit: source.commit })
      if (taken.length > 0) {
        throw APP_NAME_TAKEN(taken)
      }
    },
  })
}
