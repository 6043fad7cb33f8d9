import { isIP } from 'node:net'
import { isPrivateAddress } from '#lib/private-address.ts'

/** Names that no public name server knows (RFC 6761, 6762, 8375 and the habits of offices). */
const INTERNAL = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|home\.arpa|test|invalid)$/

/** Whether an address names a host of the public internet: what may stand where strangers read. Pure: nothing is looked up. */
export function isPublicAddress(url: string): boolean {
  const host = URL.parse(url)
    ?.hostname.replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
  if (host === undefined || host === '') {
    return false
  }
  return isIP(host) === 0 ? host.includes('.') && !INTERNAL.test(host) : !isPrivateAddress(host)
}
