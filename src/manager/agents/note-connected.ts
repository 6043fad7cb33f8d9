import type { Kysely } from 'kysely'
import { background } from '#lib/background.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { AgentConnection } from './connection.ts'

interface Context {
  readonly db: Kysely<Tables>
  readonly clock: Clock
  readonly logger: Logger
}

/** Keeps that a host was reached: from then on its enrolment is whole. */
export function noteConnected(
  connection: Pick<AgentConnection, 'name' | 'onChange' | 'state'>,
  { db, clock, logger }: Context,
): void {
  const unwatch = connection.onChange(() => {
    if (connection.state().status === 'connected') {
      unwatch()
      background(note(), error =>
        logger.warn('agent.not-noted', { agent: connection.name, message: error.message }),
      )
    }
  })

  async function note(): Promise<void> {
    await db
      .updateTable('hosts')
      .set({ connected_at: clock.now() })
      .where('name', '=', connection.name)
      .where('connected_at', 'is', null)
      .execute()
  }
}
