import type { AgentConnection } from './connection.ts'
import { HOST_KEY_NOT_RENEWED } from './errors.ts'

const WITHIN_MS = 30_000
const WAIT_MS = 1_000

/**
 * Asks an agent for a new key, and waits until it has proven to have it: gives its id. It goes on by itself when either
 * side is killed meanwhile. AGENT_OFFLINE, or HOST_KEY_NOT_RENEWED.
 */
export async function rekey(
  connection: Pick<AgentConnection, 'name' | 'keyId' | 'clock' | 'link' | 'onChange' | 'state'>,
  withinMs = WITHIN_MS,
): Promise<string> {
  const before = connection.keyId
  const link = await connection.link({ waitMs: WAIT_MS })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const unwatch = connection.onChange(() => {
    if (connection.keyId !== before && connection.state().status === 'connected') {
      resolve(connection.keyId)
    }
  })
  const late = connection.clock.after(withinMs, () => reject(HOST_KEY_NOT_RENEWED(connection.name)))
  try {
    link.send('rekey', {})
    return await promise
  } finally {
    unwatch()
    late.close()
  }
}
