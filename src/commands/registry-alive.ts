import { isIP } from 'node:net'
import { asFairleadError } from '#lib/errors.ts'
import { askRoot } from '#programs/registry-api.ts'
import type { Hands } from './command.ts'
import { type RegistryData, registryAccess } from './image-data.ts'

/**
 * Why the registry of this host does not do what it should; undefined: it answers over TLS under its name, to its
 * account and to nobody else. Asked on this host: that its name leads here is for the network to see to.
 */
export async function faultOfRegistry(hands: Hands, data: RegistryData): Promise<string | undefined> {
  const host = data.address.replace(/:\d+$/, '')
  const access = { ...registryAccess(data), ...(isIP(host) === 0 ? { connectTo: '127.0.0.1' } : {}) }
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
