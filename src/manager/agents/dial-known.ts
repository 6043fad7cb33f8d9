import { asFairleadError } from '#lib/errors.ts'
import type { Pin } from '#link/public-identity.ts'
import type { AgentLink } from './agent-link.ts'
import type { AgentPins } from './agent-pins.ts'
import { type DialOptions, dial } from './dial.ts'

type Options = Omit<DialOptions, 'pin'>

/** One try to reach an agent by the keys that it may have: the next one first, if there is one. */
export async function dialKnown(pins: AgentPins, options: Options): Promise<AgentLink> {
  const [first = pins.current, old] = pins.all
  try {
    return await reached(pins, first, options)
  } catch (error) {
    if (!old || options.signal.aborted) {
      throw error
    }
    return await reached(pins, old, options)
  }
}

async function reached(pins: AgentPins, pin: Pin, options: Options): Promise<AgentLink> {
  const link = await dial({ ...options, pin })
  try {
    await pins.met(pin)
    return link
  } catch (error) {
    link.close(1000, asFairleadError(error))
    throw error
  }
}
