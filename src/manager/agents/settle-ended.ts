import type { Kysely } from 'kysely'
import { background } from '#lib/background.ts'
import type { Logger } from '#lib/logger.ts'
import type { Tables } from '#manager/store/tables.ts'
import type { AgentConnection } from './connection.ts'

type Connection = Pick<AgentConnection, 'name' | 'onChange' | 'state' | 'link' | 'followed'>

/**
 * Lets an agent forget, whenever it is connected, the ended commands that nobody here asks for any more: their end is
 * stored, and only the acknowledgement of it got lost when one of the two died. One that waits for its data to go on
 * is cancelled, and so is one at work that was given up: who was to tell it so may have been killed.
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
  const unfollowed = link.agent.running.filter(({ id }) => !isFollowed(id))
  if (unfollowed.length === 0) {
    return
  }
  const rows = await db
    .selectFrom('commands')
    .innerJoin('deployments', 'deployments.id', 'commands.deployment_id')
    .select(['commands.id', 'commands.state', 'deployments.state as deployment'])
    .where(
      'commands.id',
      'in',
      unfollowed.map(({ id }) => id),
    )
    .execute()
  // These are asked for again by the deployments that were left running.
  const isWanted = (row: (typeof rows)[number]) => row.state === 'told' && row.deployment === 'running'
  for (const { id, seq, state } of unfollowed) {
    const row = rows.find(each => each.id === id)
    if (isFollowed(id) || (row && isWanted(row))) {
      continue
    }
    if (state === 'orphaned' || (state === 'running' && row)) {
      link.send('cancel', { id })
    } else if (state !== 'running') {
      link.send('ack', { id, seq })
    }
  }
}
