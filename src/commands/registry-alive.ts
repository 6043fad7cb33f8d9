import { isIP } from 'node:net'
import { asFairleadError } from '#lib/errors.ts'
import type { RegistryAccess } from '#programs/registry.ts'
import { askRoot } from '#programs/registry-api.ts'
import type { Hands } from './command.ts'
import { type RegistryData, registryAccess } from './image-data.ts'

const LOOK_AGAIN_MS = 200

/**
 * Why the registry of this host does not do what it should; undefined: it answers over TLS under its name, to its
 * account and to nobody else. Asked on this host: that its name leads here is for the network to see to.
 */
export async function faultOfRegistry(hands: Hands, data: RegistryData): Promise<string | undefined> {
  const access = localAccess(data)
  const { username: _, password: __, ...stranger } = access
  try {
    const known = await hands.perform(askRoot(access))
    if (known !== 200) {
      return known === 401 ? 'it refuses its own account' : `it answers ${known}`
    }
    const unknown = await hands.perform(askRoot(stranger))
    return unknown === 401 ? undefined : `it answers ${unknown} to somebody without an account`
  } catch (error) {
    hands.signal.throwIfAborted()
    return asFairleadError(error).message
  }
}

/** On its own host a name need not lead to it; an address does. */
export function localAccess(data: RegistryData): RegistryAccess {
  const host = data.address.replace(/:\d+$/, '')
  return { ...registryAccess(data), ...(isIP(host) === 0 ? { connectTo: '127.0.0.1' } : {}) }
}

/** Undefined as soon as it does what it should; after `ms` why it does not. */
export async function waitForRegistry(
  hands: Hands,
  data: RegistryData,
  ms: number,
): Promise<string | undefined> {
  const deadline = hands.clock.monotonic() + ms
  for (;;) {
    const fault = await faultOfRegistry(hands, data)
    if (fault === undefined || hands.clock.monotonic() >= deadline) {
      return fault
    }
    await hands.clock.sleep(LOOK_AGAIN_MS, hands.signal)
  }
}
