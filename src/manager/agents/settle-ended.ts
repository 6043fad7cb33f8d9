import type { Kysely } from 'kysely'
import { background } from '#lib/background.ts'
import type { Logger } from '#lib/logger.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { AgentConnection } from './connection.ts'

type Connection = Pick<AgentConnection, 'name' | 'onChange' | 'state' | 'link' | 'followed'>

/**
 * Lets an agent forget, whenever it is connected, the ended commands that nobody here asks for any more: their end is
 * stored, and only the acknowledgement of it got lost when one of the two died. One that waits for its data to go on
 * is cancelled.
 */
export function settleEnded(
  connection: Connection,
  { db, logger }: { readonly db: Kysely<Tables>; readonly logger: Logger },
): void {
  connection.onChange(() => {
    if (connection.state().status === 'connected') {
      background(settle(connection, db), error =>
        logger.warn('agent.not-settled', { agent: connection.name, message: error.message }),
      )
    }
  })
}

async function settle(connection: Connection, db: Kysely<Tables>): Promise<void> {
  const link = await connection.link({ waitMs: 0 })
  const isFollowed = (id: string) => connection.followed.listener(id) !== undefined
  const ended = link.agent.running.filter(({ id, state }) => state !== 'running' && !isFollowed(id))
  if (ended.length === 0) {
    return
  }
  // These are asked for again by the deployments that were left running.
  const told = await db
    .selectFrom('commands')
    .select('id')
    .where('state', '=', 'told')
    .where(
      'id',
      'in',
      ended.map(({ id }) => id),
    )
    .execute()
  const wanted = new Set(told.map(({ id }) => id))
  for (const { id, seq, state } of ended) {
    if (!wanted.has(id) && !isFollowed(id)) {
      if (state === 'orphaned') {
        link.send('cancel', { id })
      } else {
        link.send('ack', { id, seq })
      }
    }
  }
}
