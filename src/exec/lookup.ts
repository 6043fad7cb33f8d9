import { lookup } from 'node:dns/promises'
import type { LookupCall, LookupResult } from './call.ts'

/** Resolves a name to all its addresses, each once, in the order of the host's resolver. */
export async function performLookup<T>(call: LookupCall<T>): Promise<T> {
  return call.read(await Promise.race([addressesOf(call.host), unavailableAfter(call.timeoutMs)]))
}

async function addressesOf(host: string): Promise<LookupResult> {
  try {
    const found = await lookup(host, { all: true, order: 'verbatim' })
    return { addresses: [...new Set(found.map(each => each.address))] }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return { addresses: [], failure: code === 'ENOTFOUND' ? 'not-found' : 'unavailable' }
  }
}

/** getaddrinfo cannot be cancelled, so a late answer is only ignored. The signal's timer keeps no process alive. */
function unavailableAfter(ms: number): Promise<LookupResult> {
  return new Promise(resolve => {
    AbortSignal.timeout(ms).addEventListener('abort', () =>
      resolve({ addresses: [], failure: 'unavailable' }),
    )
  })
}
