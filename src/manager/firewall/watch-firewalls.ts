import { firewallObserve } from '#commands/firewall.ts'
import type { SeenFirewall } from '#commands/firewall-data.ts'
import { background } from '#lib/background.ts'
import type { Timer } from '#lib/clock.ts'
import { asFairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { bringFirewall } from './bring-firewall.ts'
import { guardianOf, openText } from './openings.ts'
import { wantedOpenings } from './wanted-openings.ts'

/** A guardian that is away is asked at the next look, not waited for. */
const WAIT_MS = 1_000

/**
 * Looks at the firewalls that guardians keep, at each interval and whenever a deployment has ended, and brings them to
 * what is wanted: an app may have gone, or a guardian been away.
 */
export function watchFirewalls(parts: PipelineParts, everyMs: number): Timer {
  const { db, clock, events, logger } = parts
  const run = (work: Promise<unknown>) =>
    background(work, error => logger.warn('firewall.not-brought', { reason: error.message }))

  async function lookAtAll(): Promise<void> {
    const rows = await db
      .selectFrom('hosts')
      .select('guardian')
      .distinct()
      .where('guardian', 'is not', null)
      .execute()
    await Promise.all(rows.map(({ guardian }) => settle(parts, guardian ?? '')))
  }

  async function lookAfter(app: string): Promise<void> {
    const row = await db.selectFrom('apps').select('host').where('name', '=', app).executeTakeFirst()
    const guardian = row && (await guardianOf(db, row.host))
    await (guardian === undefined ? undefined : settle(parts, guardian))
  }

  run(lookAtAll())
  const timer = clock.every(everyMs, () => run(lookAtAll()))
  const subscription = events.subscribe(undefined, ({ kind, fields }) => {
    const hasEnded = ['succeeded', 'failed', 'cancelled'].includes(String(fields.state))
    if (kind === 'deployment' && hasEnded) {
      run(lookAfter(String(fields.app)))
    } else if (kind === 'host' && fields.state === 'guarded') {
      run(lookAtAll())
    }
  })
  return {
    close() {
      timer.close()
      subscription.close()
    },
  }
}

/** How a guardian's firewall is now. */
export async function observeFirewall(
  { agents }: Pick<PipelineParts, 'agents'>,
  guardian: string,
): Promise<SeenFirewall> {
  return (await agents.tell(guardian, {
    ...{ id: newId(), command: firewallObserve.name, params: {} },
    ...{ deadlineMs: firewallObserve.deadlineMs, waitMs: WAIT_MS },
  })) as SeenFirewall
}

async function settle(parts: PipelineParts, guardian: string): Promise<void> {
  try {
    const { confirmed, pending } = await observeFirewall(parts, guardian)
    const { openings } = await wantedOpenings(parts.db, guardian)
    const isWanted = confirmed && openText(confirmed) === openText(openings)
    // One that waits for its confirmation is somebody's who is just at it.
    if (pending === null && !isWanted) {
      const { opened, closed, refused } = await bringFirewall(parts, guardian, { waitMs: WAIT_MS })
      parts.logger.info('firewall.brought', { guardian, opened: opened.join(), closed: closed.join() })
      for (const { app, error } of refused) {
        parts.logger.warn('firewall.not-opened', { guardian, app, code: error.code, reason: error.message })
      }
    }
  } catch (thrown) {
    const { code, message } = asFairleadError(thrown)
    parts.logger.warn('firewall.not-brought', { guardian, code, reason: message })
  }
}
