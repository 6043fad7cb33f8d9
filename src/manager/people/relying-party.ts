import { isIP } from 'node:net'
import { PASSKEYS_NEED_A_NAME } from './passkey-errors.ts'

/** The site that a passkey belongs to. */
export interface RelyingParty {
  /** Host name. */
  readonly id: string
  readonly origin: string
}

/** Of the address at which people reach the manager; undefined where browsers know no passkeys: addresses without a name. */
export function relyingPartyAt(publicUrl: string): RelyingParty | undefined {
  const { hostname, origin, protocol } = new URL(publicUrl)
  const isNamed = isIP(hostname.replace(/^\[|\]$/g, '')) === 0
  const isSecure = protocol === 'https:' || hostname === 'localhost' || hostname.endsWith('.localhost')
  return isNamed && isSecure ? { id: hostname, origin } : undefined
}

export function neededRelyingParty(publicUrl: string): RelyingParty {
  const found = relyingPartyAt(publicUrl)
  if (!found) {
    throw PASSKEYS_NEED_A_NAME(publicUrl)
  }
  return found
}
