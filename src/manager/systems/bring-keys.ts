import type { Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import { repeat } from '#lib/repeat.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'
import { inTransaction } from '#manager/store/transaction.ts'
import { keysHashOf } from '#targets/system-settings.ts'
import { settingsIn } from './queries.ts'

const LOOK_EVERY_MS = 60_000
const FIRST_MS = 5 * 60_000
const LAST_MS = 60 * 60_000
const ENDED_BADLY: readonly string[] = ['failed', 'cancelled']

/** Who is shut out must not stay inside because the daemon of a host was down when it was to be said. */
export function startBringingKeys(parts: DeploymentsContext & { readonly logger: Logger }): Timer {
  return repeat(parts.clock, LOOK_EVERY_MS, {
    work: () => bringKeys(parts),
    onError: error => parts.logger.warn('keys.not-brought', { message: error.message }),
  })
}

/**
 * Requests the deployment of a system once more whose last one did not end well and left other keys there than are
 * wanted: after five minutes, then more and more seldom, up to an hour.
 */
export async function bringKeys(context: DeploymentsContext): Promise<void> {
  const { clock } = context
  const apps = await context.db
    .selectFrom('apps')
    .select(['id', 'name', 'overrides', 'updated_at'])
    .where('target', '=', 'system')
    .execute()
  for (const app of apps) {
    await inTransaction(context.db, async db => {
      const last = await db
        .selectFrom('deployments')
        .select(['state', 'finished_at'])
        .where('app_id', '=', app.id)
        .orderBy('id', 'desc')
        .executeTakeFirst()
      const endedAt = last?.finished_at ?? null
      if (!last || endedAt === null || !ENDED_BADLY.includes(last.state)) {
        return
      }
      const pauseMs = Math.min(LAST_MS, Math.max(FIRST_MS, endedAt - app.updated_at))
      if (clock.now() < endedAt + pauseMs) {
        return
      }
      const release = await db
        .selectFrom('releases')
        .select('content')
        .where('app_id', '=', app.id)
        .orderBy('id', 'desc')
        .executeTakeFirst()
      const { keys } = JSON.parse(release?.content ?? '{}') as { keys?: string }
      // Of a release from before keys were noted nothing can be said.
      if (keys !== undefined && keys !== keysHashOf(settingsIn(app))) {
        const trigger = { kind: 'api', by: 'changed keys' } as const
        await requestDeployment({ ...context, db }, { appId: app.id, kind: 'deploy', trigger })
      }
    })
  }
}
