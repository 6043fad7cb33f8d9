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
/** What was refused is not asked for again at each look: a guardian notes every refusal. */
const ASK_AGAIN_MS = 3_600_000

/** What a guardian has because it opens less than what is wanted, until it is asked once more. */
interface Refused {
  readonly wanted: string
  readonly has: string
  readonly until: number
}

/**
 * Looks at the firewalls that guardians keep, at each interval and whenever a deployment has ended, and brings them to
 * what is wanted: an app may have gone, or a guardian been away.
 */
export function watchFirewalls(parts: PipelineParts, everyMs: number): Timer {
  const { db, clock, events, logger } = parts
  const refusals = new Map<string, Refused>()
  const settle = (guardian: string) => settleOne(parts, guardian, refusals)
  const run = (work: Promise<unknown>) =>
    background(work, error => logger.warn('firewall.not-brought', { reason: error.message }))

  async function lookAtAll(): Promise<void> {
    const rows = await db
      .selectFrom('hosts')
      .select('guardian')
      .distinct()
      .where('guardian', 'is not', null)
      .execute()
    await Promise.all(rows.map(({ guardian }) => settle(guardian ?? '')))
  }

  async function lookAfter(app: string): Promise<void> {
    const row = await db.selectFrom('apps').select('host').where('name', '=', app).executeTakeFirst()
    const guardian = row && (await guardianOf(db, row.host))
    await (guardian === undefined ? undefined : settle(guardian))
  }

  run(lookAtAll())
  const timer = clock.every(everyMs, () => run(lookAtAll()))
  const subscription = events.subscribe(undefined, ({ kind, fields }) => {
    const hasEnded = ['succeeded', 'failed', 'cancelled'].includes(String(fields.state))
    if (kind === 'deployment' && hasEnded) {
      run(lookAfter(String(fields.app)))
    } else if (kind === 'host' && fields.state === 'guarded') {
      run(lookAtAll())
      // Nobody's any more, perhaps: what it has open for that host it closes.
      run(typeof fields.left === 'string' ? settle(fields.left) : Promise.resolve())
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

async function settleOne(
  parts: PipelineParts,
  guardian: string,
  refusals: Map<string, Refused>,
): Promise<void> {
  const { db, clock, logger } = parts
  try {
    const { confirmed, pending } = await observeFirewall(parts, guardian)
    const { openings } = await wantedOpenings(db, guardian)
    const wanted = openText(openings)
    const has = confirmed && openText(confirmed)
    const known = refusals.get(guardian)
    const isRefused = known?.wanted === wanted && known.has === has && clock.monotonic() < known.until
    // One that waits for its confirmation is somebody's who is just at it.
    if (pending === null && has !== wanted && !isRefused) {
      const { opened, closed, refused } = await bringFirewall(parts, guardian, { waitMs: WAIT_MS })
      logger.info('firewall.brought', { guardian, opened: opened.join(), closed: closed.join() })
      parts.events.publish('host', { name: guardian, state: 'firewall-brought' })
      for (const { app, error } of refused) {
        logger.warn('firewall.not-opened', { guardian, app, code: error.code, reason: error.message })
      }
      refusals.delete(guardian)
      if (refused.length > 0) {
        const { confirmed: now } = await observeFirewall(parts, guardian)
        const until = clock.monotonic() + ASK_AGAIN_MS
        refusals.set(guardian, { wanted, has: openText(now ?? []), until })
      }
    }
  } catch (thrown) {
    const { code, message } = asFairleadError(thrown)
    logger.warn('firewall.not-brought', { guardian, code, reason: message })
  }
}
