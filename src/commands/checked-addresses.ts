import { isIP } from 'node:net'
import type { FairleadError } from '#lib/errors.ts'
import { isPrivateAddress } from '#lib/private-address.ts'
import { lookUp } from '#programs/git-access.ts'
import { PRIVATE_ADDRESS } from '#programs/git-errors.ts'
import type { Hands } from './command.ts'

/**
 * What a host name resolves to, asked once and checked: who connects to these addresses cannot be led elsewhere by a
 * name that is public for the check and private for the connection. A literal address is its own.
 */
export async function checkedAddresses(
  hands: Hands,
  host: string,
  unreachable: (problem: string) => FairleadError,
): Promise<readonly string[]> {
  const { addresses, failure } = isIP(host) === 0 ? await hands.perform(lookUp(host)) : literally(host)
  if (addresses.length === 0) {
    throw unreachable(failure === 'not-found' ? 'its name does not exist' : 'its name cannot be resolved now')
  }
  const refused = addresses.find(address => isPrivateAddress(address, hands.host.policy.allowPrivate))
  if (refused !== undefined) {
    throw PRIVATE_ADDRESS(host, refused)
  }
  return addresses
}

function literally(host: string) {
  return { addresses: [host], failure: undefined }
}
