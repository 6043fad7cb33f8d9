import type { Identity } from '#link/identity.ts'
import type { HostKey } from '#manager/hosts/changed-key.ts'
import type { AgentLink } from './agent-link.ts'

/** An agent that knows this frame says so among what it can do; others are reached with the key that they know. */
const CAPABILITY = 'successor'

interface Options {
  readonly identity: Identity
  readonly key: HostKey | undefined
  readonly signal: AbortSignal
}

export interface Reached {
  readonly link: AgentLink
  /** As whom this manager has proven itself. */
  readonly identity: Identity
}

/** One try to reach an agent with each key of this manager that it may know; one that knows the earlier key only is told of the present one. */
export async function dialAs(
  { identity, key, signal }: Options,
  dial: (as: Identity) => Promise<AgentLink>,
): Promise<Reached> {
  const [first = identity, second] = key?.known() ?? []
  let reached: Reached
  try {
    reached = { link: await dial(first), identity: first }
  } catch (error) {
    if (!second || signal.aborted) {
      throw error
    }
    reached = { link: await dial(second), identity: second }
  }
  if (reached.identity === identity) {
    await key?.learnt()
  } else if (key && reached.link.agent.capabilities.includes(CAPABILITY)) {
    reached.link.send('successor', { ...key.successor() })
  }
  return reached
}
