import type { Events } from '#manager/deployments/events.ts'
import type { AgentConnection } from './connection.ts'

/** Says that a host is there, or is not any more, to whoever looks at it. Tries that change nothing are not told. */
export function tellOfConnection(
  connection: Pick<AgentConnection, 'name' | 'onChange' | 'state'>,
  events: Events,
): void {
  let isConnected = false
  connection.onChange(() => {
    const now = connection.state().status === 'connected'
    if (now !== isConnected) {
      isConnected = now
      events.publish('host', { name: connection.name, state: now ? 'connected' : 'lost' })
    }
  })
}
